# expect: ValueError
import sys
sys.setrecursionlimit(-1)
