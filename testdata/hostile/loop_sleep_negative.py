# expect: ValueError
import time
time.sleep(-1)
