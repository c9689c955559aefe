# expect: ok ""
import sys
sys.is_finalizing = lambda: True
sys.exitfunc = 1
class C:
    def __del__(self):
        import fractions
sys.keep = C()
