# expect: RuntimeError or limit time
# timeout: 500ms
import asyncio
asyncio.get_running_loop().close()
await asyncio.sleep(0.01)
