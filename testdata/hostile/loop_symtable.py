# expect: deadline or MemoryError or SyntaxError
# deadline: 500ms
s = "def f():\n" + "".join(f" x{n} = 1\n" for n in range(50_000)) + " def g(): return " + "+".join(f"x{n}" for n in range(500))
while True:
    compile(s, "", "exec")
