# expect: AttributeError
import os
os.writev(1, [b"x" * 1000] * 1000)
