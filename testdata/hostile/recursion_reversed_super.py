# expect: RecursionError
class C:
    def __reversed__(self): return reversed(self)
reversed(C())
