# expect: ok ""
import collections
x = None
for _ in range(200_000):
    x = collections.deque([x])
del x
