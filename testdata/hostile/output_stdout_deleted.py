# expect: RuntimeError
import sys
del sys.stdout, sys.stderr
print("x")
