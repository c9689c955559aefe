# expect: deadline
# deadline: 200ms
class C:
    __slots__ = ()
    def __hash__(self): return 1
x = {}
while True:
    x[C()] = 1
