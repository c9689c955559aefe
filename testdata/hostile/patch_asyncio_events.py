# expect: deadline
# deadline: 200ms
import asyncio
asyncio._set_running_loop(None)
await asyncio.sleep(0.1)
