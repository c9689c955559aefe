# expect: ok ""
# Every type that the interpreter has is called, and what it makes is asked.
import gc
kept = [object]
for t in object.__subclasses__():
    for args in ((), (1,), ("x",), ([],), (None, None), (2**31, -1), (b"x", 1, 2)):
        try: o = t(*args)
        except BaseException: continue
        for use in (repr, len, iter, hash, bool, dir):
            try: use(o)
            except BaseException: pass
