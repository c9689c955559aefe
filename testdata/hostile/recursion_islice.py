# expect: deadline
# deadline: 200ms
import itertools
x = itertools.count()
for _ in range(100_000):
    x = itertools.islice(x, 1, None)
next(x)
