# expect: ok ""
class C:
    def __del__(self):
        x = []
        while True: x.append(bytes(1 << 20))
c = C()
