# expect: ok "1000\n"
n = 0
def f(): f()
for _ in range(1000):
    try:
        f()
    except RecursionError:
        n += 1
print(n)
