# expect: AttributeError
import asyncio
asyncio.get_running_loop()._selector = None
await asyncio.sleep(0.1)
