# expect: any
# deadline: 500ms
import ctypes
ctypes.pythonapi.Py_DecRef(ctypes.py_object(None))
