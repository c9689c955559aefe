# expect: deadline
# deadline: 200ms
class A:
    def f(self): pass
a = A()
while True:
    A.f = A.__dict__["f"]
    a.f()
