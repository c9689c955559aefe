# expect: MemoryError
compile("[" * 200_000 + "]" * 200_000, "x", "eval")
