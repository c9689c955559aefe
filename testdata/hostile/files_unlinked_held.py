# expect: OSError
# A file that is removed while it is open takes room until it is closed.
import os
kept = []
while True:
    f = open("/tmp/x", "wb")
    f.write(bytes(1_000_000))
    f.flush()
    os.unlink("/tmp/x")
    kept.append(f)
