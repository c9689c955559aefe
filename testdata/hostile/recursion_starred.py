# expect: SyntaxError
compile("print(" + "*" * 10_001 + "[])", "x", "exec")
