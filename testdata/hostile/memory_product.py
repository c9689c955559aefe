# expect: ok ""
import itertools
itertools.product(range(1 << 20), repeat=1 << 12)
