# expect: AttributeError
import ctypes
ctypes.pythonapi.Py_DecRef(ctypes.py_object(None))
