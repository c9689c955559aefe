# expect: OSError or deadline
# deadline: 500ms
import os
open("/tmp/x", "w").close()
n = 0
while True:
    os.link("/tmp/x", f"/tmp/{'y' * 200}{n}")
    n += 1
