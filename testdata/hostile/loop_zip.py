# expect: deadline
# deadline: 200ms
import collections, itertools
collections.deque(zip(itertools.count(), itertools.cycle("ab")), maxlen=0)
