# expect: ok ""
# A file becomes descriptor 1, and the script's output goes there.
import os
os.close(1)
f = os.open("/tmp/out", os.O_RDWR | os.O_CREAT)
os.write(1, b"x") if f == 1 else None
