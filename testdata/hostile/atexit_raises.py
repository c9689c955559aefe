# expect: ok ""
import atexit
@atexit.register
def f(): raise SystemExit(3)
