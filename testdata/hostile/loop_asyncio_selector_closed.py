# expect: ok or deadline or AttributeError or ValueError or KeyError or RuntimeError or TypeError or OSError
# deadline: 500ms
import asyncio
loop = asyncio.get_running_loop()
for name in list(vars(loop)):
    try: setattr(loop, name, None)
    except Exception: pass
await asyncio.sleep(0.01)
