# expect: MemoryError
import random
random.randbytes(2**31)
