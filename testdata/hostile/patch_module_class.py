# expect: ZeroDivisionError
import sys, types
class M(types.ModuleType):
    def __getattribute__(self, n): raise SystemExit(6)
for module in list(sys.modules.values()):
    try: module.__class__ = M
    except TypeError: pass
1 / 0
