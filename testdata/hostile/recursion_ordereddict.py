# expect: RecursionError
import collections
x = collections.OrderedDict()
for _ in range(100_000):
    x = collections.OrderedDict(a=x)
repr(x)
