# expect: SyntaxError
compile("match 1:\n case " + "1 | " * 100_000 + "1: pass\n case " + "C(x=" * 10_000, "x", "exec")
