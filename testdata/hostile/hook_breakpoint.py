# expect: RecursionError
import sys
def hook(*a): breakpoint()
sys.breakpointhook = hook
breakpoint()
