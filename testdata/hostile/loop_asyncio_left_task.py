# expect: deadline or ok
# deadline: 500ms
# A task that is left at the end and refuses to be cancelled.
import asyncio
async def f():
    while True:
        try: await asyncio.sleep(10)
        except asyncio.CancelledError: pass
t = asyncio.ensure_future(f())
await asyncio.sleep(0)
