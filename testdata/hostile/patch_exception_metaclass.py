# expect: E
class M(type):
    def __getattribute__(cls, name): raise SystemExit(9)
class E(Exception, metaclass=M): pass
raise E
