# expect: deadline or MemoryError
# deadline: 300ms
import re
re.split("(a?)*?(a?)*?b", "a" * 5000)
