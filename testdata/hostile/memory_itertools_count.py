# expect: MemoryError
import itertools
list(itertools.count())
