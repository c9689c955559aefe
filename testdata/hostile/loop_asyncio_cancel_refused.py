# expect: deadline
# deadline: 200ms
import asyncio
async def f():
    while True:
        try: await asyncio.sleep(10)
        except asyncio.CancelledError: pass
async with asyncio.timeout(0.01):
    await f()
