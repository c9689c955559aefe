# expect: deadline
# deadline: 200ms
# The code of the sandbox's own functions, which nothing else can replace.
import sys, types
def forever(*a, **k):
    while True: pass
for name, module in list(sys.modules.items()):
    if name.startswith("eryx"):
        for value in list(vars(module).values()):
            if isinstance(value, types.FunctionType) and not value.__closure__:
                try: value.__code__ = forever.__code__
                except ValueError: pass
raise ValueError
