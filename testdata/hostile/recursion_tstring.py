# expect: MemoryError
s = "1"
for _ in range(150):
    s = 't"{' + s + '}"'
compile(s, "x", "eval")
