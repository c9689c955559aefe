# expect: deadline
# deadline: 200ms
import os
b = bytes(1 << 20)
while True:
    os.write(1, b)
    os.write(2, b)
