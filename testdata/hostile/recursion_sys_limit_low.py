# expect: RecursionError
import sys
sys.setrecursionlimit(1)
