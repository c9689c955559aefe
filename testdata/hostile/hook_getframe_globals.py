# expect: NameError
# The frames below the script's are the sandbox's own.
import sys
f = sys._getframe()
while f:
    g, f = f.f_globals, f.f_back
    g.clear()
