# expect: ok ""
import sys
for _ in range(100):
    sys.stderr.write("e" * 1_000_000)
