# expect: deadline
# deadline: 200ms
import time
time.sleep(9_000_000)
