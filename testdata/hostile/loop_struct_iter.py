# expect: deadline or MemoryError
# deadline: 500ms
import struct
while True:
    list(struct.iter_unpack("b", bytes(1_000_000)))
