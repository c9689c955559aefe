# expect: ok ""
import sys
for n in range(200_000):
    sys.intern(f"{n}x" * 3)
