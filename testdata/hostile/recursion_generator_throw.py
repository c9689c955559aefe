# expect: ValueError
def wrap(it):
    yield from it
def end():
    yield 1
    yield 2
x = end()
for _ in range(900):
    x = wrap(x)
next(x)
def deeper(n):
    if n:
        return deeper(n - 1)
    x.throw(ValueError)
deeper(900)
