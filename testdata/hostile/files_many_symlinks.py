# expect: OSError or deadline
# deadline: 500ms
import os
n = 0
while True:
    os.symlink("x" * 4000, f"/tmp/{n}")
    n += 1
