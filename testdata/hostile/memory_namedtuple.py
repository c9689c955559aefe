# expect: MemoryError or limit time or OverflowError or RecursionError
# timeout: 500ms
import collections
collections.namedtuple("N", [f"f{n}" for n in range(300_000)])
