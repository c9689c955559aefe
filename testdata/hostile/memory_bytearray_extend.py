# expect: MemoryError
import itertools
bytearray().extend(itertools.repeat(0))
