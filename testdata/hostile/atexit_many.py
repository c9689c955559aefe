# expect: deadline
# deadline: 200ms
import atexit
for _ in range(200_000):
    atexit.register(int)
