# expect: RecursionError
compile("a" + "()" * 100_000, "x", "eval")
