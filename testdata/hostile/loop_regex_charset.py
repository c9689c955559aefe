# expect: limit time or OverflowError or MemoryError
# timeout: 300ms
import re
while True:
    re.compile("[" + "".join(chr(n) for n in range(256, 60000, 2)) + "]", re.I)
    re.purge()
