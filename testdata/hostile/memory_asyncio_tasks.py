# expect: RuntimeError
import asyncio
async def f():
    await asyncio.sleep(3600)
tasks = []
while True:
    tasks.append(asyncio.ensure_future(f()))
