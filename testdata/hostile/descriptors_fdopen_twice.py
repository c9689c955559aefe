# expect: ok ""
import os
fd = os.open("/tmp/x", os.O_RDWR | os.O_CREAT)
a = os.fdopen(fd, "w")
b = os.fdopen(fd, "r+")
a.write("x" * 100_000)
b.write("y" * 100_000)
del a
try: b.close()
except OSError: pass
