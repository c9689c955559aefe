# expect: ValueError
raise ValueError("x" * 40_000_000)
