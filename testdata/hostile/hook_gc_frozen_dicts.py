# expect: any
# What was imported before the image was made is frozen, and is not hidden
# any more.
import gc
gc.unfreeze()
for o in gc.get_objects():
    if type(o) in (dict, list, set):
        try: o.clear()
        except Exception: pass
