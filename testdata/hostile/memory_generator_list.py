# expect: MemoryError
list(n for n in iter(int, 1))
