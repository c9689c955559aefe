# expect: AttributeError
import asyncio, sys
for name, module in list(sys.modules.items()):
    if name.startswith("asyncio"):
        for key in list(vars(module)):
            setattr(module, key, None)
await something
