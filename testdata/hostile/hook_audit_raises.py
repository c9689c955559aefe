# expect: ValueError
import sys
def hook(name, args): raise ValueError(name)
sys.addaudithook(hook)
open("/tmp/x")
