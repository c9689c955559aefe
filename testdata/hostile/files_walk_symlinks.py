# expect: ok or OSError or deadline or RecursionError
# deadline: 500ms
import os
os.mkdir("/tmp/d")
os.symlink("/tmp/d", "/tmp/d/a")
os.symlink("/tmp/d", "/tmp/d/b")
for _ in os.walk("/tmp/d", followlinks=True): pass
