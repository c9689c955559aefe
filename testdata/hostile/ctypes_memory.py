# expect: AttributeError
import ctypes
ctypes.string_at(0, 10)
