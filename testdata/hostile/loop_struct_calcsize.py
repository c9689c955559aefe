# expect: deadline or struct.error or MemoryError
# deadline: 500ms
import struct
while True:
    struct.calcsize("bq" * 1_000_000)
    struct._clearcache()
