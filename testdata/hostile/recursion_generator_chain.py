# expect: ok ""
def wrap(it):
    for x in it:
        yield x
x = iter([1])
for _ in range(50_000):
    x = wrap(x)
next(x)
