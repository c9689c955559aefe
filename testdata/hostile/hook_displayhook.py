# expect: RecursionError
import sys
def hook(v): exec(compile("1", "x", "single"))
sys.displayhook = hook
exec(compile("1", "x", "single"))
