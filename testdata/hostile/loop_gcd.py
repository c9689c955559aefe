# expect: deadline
# deadline: 200ms
import math
a, b = 0, 1
for _ in range(400_000):
    a, b = b, a + b
math.gcd(a, b)
