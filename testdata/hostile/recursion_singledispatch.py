# expect: RecursionError
import functools
@functools.singledispatch
def f(x): return f(x)
f(1)
