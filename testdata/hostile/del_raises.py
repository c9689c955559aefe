# expect: ok "x\n"
class C:
    def __del__(self): raise ValueError
c = C()
print("x")
