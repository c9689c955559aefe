# expect: ZeroDivisionError
import builtins
for name in list(vars(builtins)):
    if name not in ("vars", "setattr", "list"):
        setattr(builtins, name, None)
1 / 0
