# expect: any
class E(ValueError):
    __module__ = property(lambda s: 1 / 0)
    __qualname__ = "x" * 100_000
    def __getattribute__(self, name): raise SystemExit(1)
raise E
