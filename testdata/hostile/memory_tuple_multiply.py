# expect: MemoryError
((),) * (2**29 - 10)
