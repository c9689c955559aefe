# expect: ZeroDivisionError
import sys
def hook(*a): raise ValueError
sys.excepthook = hook
1 / 0
