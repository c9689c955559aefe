# expect: limit time or MemoryError
# timeout: 500ms
import struct
while True:
    list(struct.iter_unpack("b", bytes(1_000_000)))
