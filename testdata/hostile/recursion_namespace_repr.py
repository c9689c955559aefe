# expect: RecursionError
import types
x = None
for _ in range(100_000):
    x = types.SimpleNamespace(x=x)
repr(x)
