# expect: exit 17
import asyncio, os
async def f(): os._exit(17)
await asyncio.gather(f(), f())
