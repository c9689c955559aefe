# expect: struct.error
import struct
struct.calcsize("9999999999999999999q")
