# expect: deadline
# deadline: 200ms
class D:
    def __set_name__(self, o, n):
        while True: pass
class C: d = D()
