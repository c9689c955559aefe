# expect: MemoryError
"%*d" % (2**31 - 1, 1)
