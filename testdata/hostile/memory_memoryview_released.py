# expect: BufferError
b = bytearray(8)
m = memoryview(b)
b.extend(b"more")
