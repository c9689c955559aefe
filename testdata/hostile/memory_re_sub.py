# expect: MemoryError
import re
re.sub("a", "b" * 10_000, "a" * 100_000)
