# expect: NameError
# There is nothing below the script's own frame, so that these are its own globals.
import sys
f = sys._getframe()
while f:
    g, f = f.f_globals, f.f_back
    g.clear()
