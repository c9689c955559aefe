# expect: limit time
# timeout: 200ms
import atexit
@atexit.register
def f():
    while True: pass
