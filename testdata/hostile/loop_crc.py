# expect: deadline
# deadline: 200ms
import zlib
data = bytes(40_000_000)
while True:
    zlib.crc32(data)
