# expect: MemoryError or limit time
# timeout: 500ms
format(1 << (1 << 28), "b")
