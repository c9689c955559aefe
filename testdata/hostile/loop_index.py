# expect: deadline
# deadline: 200ms
class C:
    def __index__(self):
        while True: pass
range(C())
