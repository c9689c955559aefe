# expect: exit -2147483648
import os
os._exit(-(2**31))
