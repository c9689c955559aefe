# expect: MemoryError
"x" * (2**31 - 1)
