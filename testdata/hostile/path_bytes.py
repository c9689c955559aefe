# expect: OSError
import os
open(b"/tmp/\xff\xfe", "w").close()
os.listdir("/tmp")
