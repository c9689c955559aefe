# expect: ok ""
import functools
f = functools.partial(print)
f.__setstate__((f, (), {}, {}))
try:
    repr(f)
finally:
    f.__setstate__((print, (), {}, {}))
