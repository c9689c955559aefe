# expect: ok ""
import sys
n = 0
while True:
    try: f = sys._getframe(n)
    except ValueError: break
    for name in dir(f): getattr(f, name)
    try: f.clear()
    except RuntimeError: pass
    n += 1
