# expect: MemoryError
compile("~" * 300_000 + "1", "x", "eval")
