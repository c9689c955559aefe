# expect: SyntaxError
raise SyntaxError("x", ("f\0", -(2**31), 2**31 - 1, "y" * 100_000, -1, -1))
