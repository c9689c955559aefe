# expect: ok ""
x = iter([1])
for _ in range(100_000):
    x = enumerate(x)
next(x)
