# expect: OSError
import os
os.truncate("/tmp/x" if open("/tmp/x", "w").close() is None else "", -1)
