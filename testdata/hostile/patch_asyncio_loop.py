# expect: AttributeError
# timeout: 500ms
import asyncio
asyncio.get_running_loop()._selector = None
await asyncio.sleep(0.1)
