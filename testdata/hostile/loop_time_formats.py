# expect: ok ""
import time
for value in (2**31, 2**62, -(2**62), 1e18, -1e18, 2**63 - 1):
    try: time.gmtime(value), time.localtime(value), time.ctime(value)
    except (OverflowError, OSError, ValueError): pass
for fmt in ("%" * 10_001, "%Y" * 100_000, "%\0", "%E", "%Q", "%-5000d"):
    try: time.strftime(fmt)
    except (ValueError, MemoryError): pass
time.mktime((1970, 1, 1, 0, 0, 0, 0, 0, 0))
try: time.mktime((2**31 - 1,) * 9)
except (OverflowError, ValueError): pass
