# expect: OverflowError
import struct
struct.pack("2147483647s", b"")
