# expect: MemoryError
memoryview(bytes(50_000_000)).tolist()
