# expect: io.UnsupportedOperation
import sys
sys.stdin.seek(2**40)
