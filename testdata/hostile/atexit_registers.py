# expect: limit time or ok
# timeout: 500ms
import atexit
@atexit.register
def f(): atexit.register(f)
