# expect: ok "still here\n"
import importlib, sys
for name in list(sys.modules):
    if name.startswith("eryx"):
        try: importlib.reload(sys.modules[name])
        except Exception: pass
print("still here")
