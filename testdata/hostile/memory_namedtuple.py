# expect: MemoryError or deadline or OverflowError or RecursionError
# deadline: 500ms
import collections
collections.namedtuple("N", [f"f{n}" for n in range(300_000)])
