# expect: MemoryError
compile("([{" * 60 + "}])" * 60, "x", "eval")
