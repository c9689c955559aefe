# expect: deadline
# deadline: 200ms
import asyncio
async def f():
    while True:
        try: await asyncio.sleep(0)
        except BaseException: pass
await asyncio.gather(*[f() for _ in range(100)])
