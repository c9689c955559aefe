# expect: ok ""
import time
for name in dir(time):
    f = getattr(time, name)
    if not callable(f) or name in ("sleep",) or name.startswith("__"): continue
    for args in ((), (-1,), (2**31 - 1,), (2**63,), (float("inf"),), ((0,) * 9,), ((2**31 - 1,) * 9,), ("%Y", (-(2**31),) * 9), ("x", "%"), ("", "")):
        try: f(*args)
        except Exception: pass
