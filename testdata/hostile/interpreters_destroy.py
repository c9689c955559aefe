# expect: ModuleNotFoundError
import _interpreters
i = _interpreters.create()
_interpreters.run_string(i, "x = 1\nclass C:\n def __del__(self): print('gone')\nc = C()")
_interpreters.destroy(i)
