# expect: OSError
import os
os.makedirs("/tmp/a/b")
os.rename("/tmp/a", "/tmp/a/b/c")
