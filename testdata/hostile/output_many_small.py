# expect: limit time
# timeout: 200ms
import sys
while True:
    sys.stdout.write("x")
    sys.stdout.flush()
