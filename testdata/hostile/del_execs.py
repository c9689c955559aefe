# expect: ok ""
class C:
    def __del__(self): exec("C()", {"C": type(self)}) if depth() else None
def depth():
    depth.n += 1
    return depth.n < 500
depth.n = 0
C()
