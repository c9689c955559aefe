# expect: deadline
# deadline: 200ms
import itertools
next(filter(None, itertools.repeat(0)))
