# expect: ok ""
import asyncio
async def wait(x): return await x
x = asyncio.sleep(0)
for _ in range(500):
    x = asyncio.ensure_future(wait(x))
await x
