# expect: MemoryError
import zlib
zlib.decompress(zlib.compress(b"x"), bufsize=2**31 - 1)
