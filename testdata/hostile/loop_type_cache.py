# expect: limit time
# timeout: 200ms
class A:
    def f(self): pass
a = A()
while True:
    A.f = A.__dict__["f"]
    a.f()
