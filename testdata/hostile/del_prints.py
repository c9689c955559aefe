# expect: ok "gone\n"
class C:
    def __del__(self): print("gone")
c = C()
c.c = c
