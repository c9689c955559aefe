# expect: exit 16
import os, sys
sys.addaudithook(lambda *a: os._exit(16))
open("/tmp/x", "w")
