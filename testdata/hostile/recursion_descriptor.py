# expect: RecursionError
class D:
    def __get__(self, o, t): return getattr(o, "d")
class C: d = D()
C().d
