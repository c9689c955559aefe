# expect: ok ""
import sys
class C:
    def __sizeof__(self): return -1
try: sys.getsizeof(C())
except ValueError: pass
sys.getsizeof(type)
