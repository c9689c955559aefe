# expect: ok "x\n"
import os
for name in list(vars(os)):
    if not name.startswith("__"):
        setattr(os, name, None)
print("x")
