# expect: deadline
# deadline: 200ms
import asyncio
loop = asyncio.get_running_loop()
def f(): loop.call_soon(f)
f()
await asyncio.Event().wait()
