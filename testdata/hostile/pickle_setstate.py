# expect: ok ""
# What has a __setstate__ or a __reduce__ gets states that make no sense.
import collections, datetime, functools, itertools, random
for make in (lambda: iter([1, 2]), lambda: itertools.count(), lambda: functools.partial(print), lambda: random.Random(),
             lambda: collections.deque(), lambda: iter("ab"), lambda: reversed([1]), lambda: itertools.cycle([1]), lambda: bytearray(),
             lambda: ValueError(), lambda: iter(range(3)), lambda: itertools.islice([], 1), lambda: itertools.product("ab")):
    for state in (None, (), -1, 2**100, "x", (1,), (1, 2), (None,) * 4, {}, [], (print, (), {}, None), -(2**62), 2**62):
        x = make()
        try: x.__setstate__(state)
        except (AttributeError, TypeError, ValueError, OverflowError, IndexError, KeyError): pass
        try: list(itertools.islice(x, 5))
        except Exception: pass
