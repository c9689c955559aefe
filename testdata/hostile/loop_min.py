# expect: limit time
# timeout: 200ms
import itertools
min(itertools.count())
