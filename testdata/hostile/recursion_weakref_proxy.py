# expect: RecursionError
import weakref
class C:
    def __getattr__(self, n): return getattr(weakref.proxy(self), n)
C().x
