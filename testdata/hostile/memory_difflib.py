# expect: deadline or MemoryError
# deadline: 500ms
import difflib
a = ["x%d" % (n % 97) for n in range(20_000)]
list(difflib.ndiff(a, a[::-1]))
