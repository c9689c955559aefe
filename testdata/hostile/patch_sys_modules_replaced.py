# expect: ZeroDivisionError
import sys
for name in list(sys.modules):
    sys.modules[name] = None
1 / 0
