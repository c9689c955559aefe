# expect: ok ""
# Everything that there is gets looked at, and the mutable of it emptied.
import gc
for o in gc.get_objects():
    if type(o) is list:
        try: o.clear()
        except Exception: pass
