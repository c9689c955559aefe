# expect: MemoryError
"%.2000000000d" % 1
