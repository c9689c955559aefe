# expect: deadline or ok
# deadline: 500ms
import atexit
@atexit.register
def f(): atexit.register(f)
