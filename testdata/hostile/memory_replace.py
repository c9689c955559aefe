# expect: MemoryError
("a" * 100_000).replace("a", "b" * 10_000)
