# expect: deadline or MemoryError
# deadline: 500ms
import binascii
data = bytes(10_000_000)
while True:
    binascii.crc_hqx(data, 0)
