# expect: MemoryError or deadline
# deadline: 500ms
format(1 << (1 << 28), "b")
