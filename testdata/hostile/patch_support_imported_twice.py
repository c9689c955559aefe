# expect: ok ""
import sys
for name in [n for n in sys.modules if n.startswith("eryx")]:
    del sys.modules[name]
import eryx_support
