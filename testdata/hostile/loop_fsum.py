# expect: deadline
# deadline: 200ms
import itertools, math
math.fsum(itertools.cycle([1e308, 1e-308, -1e308]))
