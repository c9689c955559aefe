# expect: ValueError
# All of the sandbox's own Python code is gone when the script ends.
import sys
for name, module in list(sys.modules.items()):
    if name.startswith("eryx"):
        vars(module).clear()
raise ValueError
