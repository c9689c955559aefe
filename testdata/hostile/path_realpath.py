# expect: ok ""
import os
os.symlink("a" * 200 + "/..", "/tmp/l")
os.path.realpath("/tmp/l/" * 500)
