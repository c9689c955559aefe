# expect: MemoryError
compile("[" * 150 + "x" + " for x in y]" * 150, "x", "eval")
