# expect: deadline
# deadline: 200ms
class E:
    def __eq__(self, o): return False
range(10**12).index(E())
