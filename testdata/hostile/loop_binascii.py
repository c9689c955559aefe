# expect: limit time or MemoryError
# timeout: 500ms
import binascii
data = bytes(10_000_000)
while True:
    binascii.crc_hqx(data, 0)
