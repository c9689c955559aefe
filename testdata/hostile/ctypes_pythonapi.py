# expect: any
# timeout: 500ms
import ctypes
ctypes.pythonapi.Py_DecRef(ctypes.py_object(None))
