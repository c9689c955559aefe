# expect: RecursionError
import re
def f(m): return re.sub("(a)", f, "aaa")
f(None)
