# expect: RecursionError
compile("a" + "[0]" * 100_000, "x", "eval")
