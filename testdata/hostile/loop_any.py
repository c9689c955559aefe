# expect: limit time
# timeout: 200ms
import itertools
any(itertools.repeat(0))
