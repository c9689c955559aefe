# expect: deadline or ok
# deadline: 500ms
kept = []
class C:
    def __del__(self): kept.append(C())
for _ in range(10):
    C()
