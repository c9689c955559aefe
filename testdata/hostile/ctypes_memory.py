# expect: any
# deadline: 500ms
import ctypes
ctypes.string_at(0, 10)
