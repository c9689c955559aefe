# expect: OSError
import subprocess
subprocess.run(["sh"])
