# expect: OSError or deadline
# deadline: 500ms
import os
n = 0
while True:
    os.mkdir(f"/tmp/{n}")
    n += 1
