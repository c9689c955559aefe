# expect: deadline or MemoryError
# deadline: 500ms
import ctypes
(ctypes.c_char * (2**31 - 1))()
