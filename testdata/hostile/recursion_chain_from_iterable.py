# expect: ok ""
import itertools
x = iter([[]])
for _ in range(100_000):
    x = itertools.chain.from_iterable([x])
next(x)
