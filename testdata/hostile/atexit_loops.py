# expect: deadline
# deadline: 200ms
import atexit
@atexit.register
def f():
    while True: pass
