# expect: OverflowError
import os
os.read(os.open("/tmp", os.O_RDONLY), 2**31 - 1)
