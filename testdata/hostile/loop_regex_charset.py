# expect: deadline or OverflowError or MemoryError
# deadline: 300ms
import re
while True:
    re.compile("[" + "".join(chr(n) for n in range(256, 60000, 2)) + "]", re.I)
    re.purge()
