# expect: OverflowError
import sys
sys.setrecursionlimit(2**31)
