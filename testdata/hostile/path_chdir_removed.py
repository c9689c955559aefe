# expect: FileNotFoundError
import os
os.mkdir("/tmp/d")
os.chdir("/tmp/d")
os.rmdir("/tmp/d")
open("x", "w")
