# expect: MemoryError
import bz2
bz2.decompress(bz2.compress(bytes(100_000_000)))
