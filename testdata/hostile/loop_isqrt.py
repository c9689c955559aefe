# expect: deadline
# deadline: 500ms
import math
while True: math.isqrt(1 << 50_000_000)
