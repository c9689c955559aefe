# expect: RecursionError
import sys
sys.path.insert(0, "/tmp")
for n in range(300):
    open(f"/tmp/m{n}.py", "w").write(f"import m{n + 1}")
open("/tmp/m300.py", "w").write("import m0")
import m0
