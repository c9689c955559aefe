# expect: limit time
# timeout: 200ms
class C:
    def __del__(self):
        while True: pass
c = C()
