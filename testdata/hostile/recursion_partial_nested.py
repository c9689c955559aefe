# expect: RecursionError or crash
# Calls without a frame in C that CPython counts, as in a native one: there it
# is a fault of the process.
# partial() of a subclass is not flattened, and calling it recurses in C.
import functools
class P(functools.partial): pass
f = print
for _ in range(200_000):
    f = P(f)
    f.x = 1
f()
