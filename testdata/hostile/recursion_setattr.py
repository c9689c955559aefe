# expect: RecursionError
class C:
    def __setattr__(self, n, v): setattr(self, n, v)
C().x = 1
