# expect: deadline
# deadline: 200ms
import itertools
-1 in itertools.count()
