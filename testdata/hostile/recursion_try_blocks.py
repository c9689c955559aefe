# expect: SyntaxError
compile("".join(" " * n + "try:\n" for n in range(30)) + " " * 30 + "pass", "x", "exec")
