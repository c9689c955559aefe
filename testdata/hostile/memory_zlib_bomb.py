# expect: MemoryError
import zlib
b = zlib.compress(bytes(30_000_000), 9)
zlib.decompress(zlib.decompress(zlib.compress(b)), bufsize=400_000_000)
