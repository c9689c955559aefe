# expect: MemoryError
int.from_bytes(b"\xff" * 80_000_000)
