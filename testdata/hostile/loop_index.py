# expect: limit time
# timeout: 200ms
class C:
    def __index__(self):
        while True: pass
range(C())
