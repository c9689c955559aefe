# expect: MemoryError
compile("{0:" * 200_000, "x", "eval")
