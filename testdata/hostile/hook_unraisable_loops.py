# expect: deadline
# deadline: 200ms
import sys
class C:
    def __del__(self): raise ValueError
def hook(a):
    while True: pass
sys.unraisablehook = hook
C()
