# expect: SyntaxError
compile("".join(" " * n + "while 1:\n" for n in range(99)) + " " * 99 + "pass", "x", "exec")
