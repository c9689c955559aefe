# expect: deadline
# deadline: 200ms
class C:
    def __bool__(self):
        while True: pass
if C(): pass
