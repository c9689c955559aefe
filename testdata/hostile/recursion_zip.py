# expect: ok ""
x = iter([1])
for _ in range(100_000):
    x = zip(x)
next(x)
