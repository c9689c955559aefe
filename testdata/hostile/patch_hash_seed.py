# expect: ok ""
import sys
sys.flags = sys.hash_info = sys.implementation = None
hash("x")
