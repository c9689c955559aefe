# expect: struct.error
import struct
struct.unpack_from("q", b"12345678", -(2**31) + 1)
