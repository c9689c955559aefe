# expect: limit time
# timeout: 200ms
class C:
    def __bool__(self):
        while True: pass
if C(): pass
