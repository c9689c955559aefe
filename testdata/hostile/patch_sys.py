# expect: ZeroDivisionError
import sys
for name in list(vars(sys)):
    try: delattr(sys, name)
    except Exception: pass
1 / 0
