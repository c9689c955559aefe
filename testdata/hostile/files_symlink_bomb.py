# expect: OSError
import os
os.symlink("/", "/tmp/l0")
for n in range(1, 40):
    os.symlink(f"l{n - 1}/tmp/l{n - 1}", f"/tmp/l{n}")
os.stat("/tmp/l39")
