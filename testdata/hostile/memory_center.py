# expect: MemoryError
"x".center(2**31 - 1)
