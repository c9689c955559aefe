# expect: RecursionError
import operator
class C:
    def f(self): return operator.methodcaller("f")(self)
C().f()
