# expect: limit time
# timeout: 200ms
import atexit
for _ in range(200_000):
    atexit.register(int)
