# expect: limit time
# timeout: 200ms
import itertools
-1 in itertools.count()
