# expect: ok ""
import sys
class C:
    def __del__(self): raise ValueError
def hook(a): C()
sys.unraisablehook = hook
C()
