# expect: ok "\n"
import functools
f = print
for _ in range(200_000):
    f = functools.partial(f)
f()
