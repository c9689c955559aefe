# expect: deadline
# deadline: 200ms
import itertools
min(itertools.count())
