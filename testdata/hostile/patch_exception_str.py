# expect: E
class S(str):
    def __str__(self): return 1
    def encode(self, *a): raise ValueError
class E(Exception):
    def __str__(self): return S("\ud800\0x")
raise E
