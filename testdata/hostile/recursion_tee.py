# expect: ok ""
import itertools
x = iter([1])
for _ in range(100_000):
    x, = itertools.tee(x, 1)
next(x)
