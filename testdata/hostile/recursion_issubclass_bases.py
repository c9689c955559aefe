# expect: deadline
# deadline: 200ms
class C:
    @property
    def __bases__(self): return (C(),)
issubclass(C(), int)
