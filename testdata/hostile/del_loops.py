# expect: deadline
# deadline: 200ms
class C:
    def __del__(self):
        while True: pass
c = C()
