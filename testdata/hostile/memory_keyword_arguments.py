# expect: MemoryError
dict(**{f"k{n}": n for n in range(3_000_000)})
