# expect: ok ""
import time
for n in list(range(-5, 100)) + [2**31 - 1, -(2**31)]:
    try: time.clock_gettime(n)
    except (OSError, OverflowError): pass
