# expect: deadline
# deadline: 200ms
import itertools, statistics
statistics.fmean(itertools.repeat(1.0))
