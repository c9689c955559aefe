# expect: MemoryError
print(*range(50_000_000))
