# expect: RuntimeError or deadline
# deadline: 500ms
import asyncio
asyncio.get_running_loop().close()
await asyncio.sleep(0.01)
