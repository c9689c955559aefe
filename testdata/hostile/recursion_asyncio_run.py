# expect: RuntimeError
import asyncio
async def f(): asyncio.run(f())
await f()
