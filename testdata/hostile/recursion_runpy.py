# expect: RecursionError
import runpy
open("/tmp/r.py", "w").write("import runpy; runpy.run_path('/tmp/r.py')")
runpy.run_path("/tmp/r.py")
