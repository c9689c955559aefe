# expect: deadline
# deadline: 200ms
import itertools
any(itertools.repeat(0))
