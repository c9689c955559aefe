# expect: RecursionError
import re
re.compile("(?:" * 20_000 + "a" + ")*" * 20_000)
