# expect: MemoryError or deadline
# deadline: 500ms
import asyncio
loop = asyncio.get_running_loop()
def f():
    loop.call_soon(f)
    loop.call_soon(f)
f()
await asyncio.sleep(3600)
