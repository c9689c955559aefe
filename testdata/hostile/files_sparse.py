# expect: OSError
import os
f = open("/tmp/x", "wb")
f.seek(2**62)
f.write(b"x")
f.close()
