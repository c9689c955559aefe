# expect: limit time or MemoryError
# timeout: 300ms
import re
re.split("(a?)*?(a?)*?b", "a" * 5000)
