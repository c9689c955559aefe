# expect: ok ""
import sys
class N(dict):
    def __contains__(self, k): raise SystemExit(4)
    def __getitem__(self, k): raise SystemExit(4)
    def get(self, *a): raise SystemExit(4)
sys.modules["__main__"] = N()
result = 1
