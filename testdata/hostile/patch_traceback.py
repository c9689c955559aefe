# expect: ValueError
import traceback
for name in list(vars(traceback)):
    setattr(traceback, name, lambda *a, **k: 1 / 0)
raise ValueError
