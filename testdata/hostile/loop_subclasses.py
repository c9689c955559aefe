# expect: deadline or MemoryError
# deadline: 500ms
class A: pass
kept = []
n = 0
while True:
    kept.append(type("B", (A,), {}))
    A.x = n
    n += 1
