# expect: deadline
# deadline: 200ms
import random
while True:
    random.getrandbits(10_000_000)
