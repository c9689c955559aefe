# expect: limit time
# timeout: 200ms
import itertools
next(filter(None, itertools.repeat(0)))
