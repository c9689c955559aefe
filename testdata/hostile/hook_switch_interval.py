# expect: ok ""
import sys
sys.setswitchinterval(1e-9)
for _ in range(10_000): pass
sys.setswitchinterval(1e9)
