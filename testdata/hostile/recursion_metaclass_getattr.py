# expect: RecursionError
class M(type):
    def __getattr__(cls, name): return getattr(cls, name + "x")
class C(metaclass=M): pass
C.a
