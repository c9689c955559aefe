# expect: MemoryError
import zlib
c = zlib.compressobj(9)
b = b"".join(c.compress(bytes(1 << 20)) for _ in range(100)) + c.flush()
zlib.decompress(b)
