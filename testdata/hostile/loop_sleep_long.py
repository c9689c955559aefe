# expect: limit time
# timeout: 200ms
import time
time.sleep(9_000_000)
