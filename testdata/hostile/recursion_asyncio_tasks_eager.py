# expect: RecursionError
import asyncio
asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)
async def f(): await asyncio.create_task(f())
await f()
