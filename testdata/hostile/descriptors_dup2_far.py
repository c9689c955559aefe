# expect: AttributeError
import os
os.dup2(1, 2**31 - 1)
