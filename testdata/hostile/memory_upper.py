# expect: MemoryError
("\u0390" * 20_000_000).upper()
