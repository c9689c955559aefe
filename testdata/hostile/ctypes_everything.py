# expect: ok "" or deadline
# deadline: 500ms
# Every name of the stand-in is called with what it does not expect.
import ctypes
for name in dir(ctypes):
    for args in ((), (1,), (2**64,), ("x", -1), (b"x" * 1000,)):
        try: getattr(ctypes, name)(*args)
        except Exception: pass
