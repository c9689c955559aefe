# expect: deadline
# deadline: 200ms
import sys
while True:
    sys.stdout.write("x")
    sys.stdout.flush()
