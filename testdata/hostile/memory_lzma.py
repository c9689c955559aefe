# expect: ModuleNotFoundError
import lzma
lzma.decompress(lzma.compress(bytes(300_000_000)))
