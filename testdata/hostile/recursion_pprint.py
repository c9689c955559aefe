# expect: RecursionError
import pprint
x = []
for _ in range(20_000):
    x = [x]
pprint.pformat(x)
