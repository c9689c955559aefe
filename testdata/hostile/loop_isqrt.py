# expect: deadline
# deadline: 500ms
import math
math.isqrt(1 << 50_000_000)
