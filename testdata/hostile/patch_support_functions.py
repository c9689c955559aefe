# expect: ValueError
# The sandbox's own functions answer what the script wants them to.
import sys
for name, module in list(sys.modules.items()):
    if name.startswith("eryx"):
        for key, value in list(vars(module).items()):
            if callable(value):
                setattr(module, key, lambda *a, **k: (_ for _ in ()).throw(SystemExit(99)))
raise ValueError
