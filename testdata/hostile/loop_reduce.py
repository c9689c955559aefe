# expect: deadline
# deadline: 200ms
import functools, itertools, operator
functools.reduce(operator.xor, itertools.count())
