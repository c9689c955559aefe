# expect: limit time
# timeout: 200ms
import functools, itertools, operator
functools.reduce(operator.xor, itertools.count())
