# expect: ZeroDivisionError
import sys
sys.excepthook = lambda *a: sys.exit(5)
1 / 0
