# expect: deadline
# deadline: 200ms
s = "x = [" + "1, " * 100_000 + "]\n"
while True:
    compile(s, "", "exec")
