# expect: deadline or RuntimeError or ok
# deadline: 500ms
import asyncio
asyncio.get_running_loop().stop()
await asyncio.sleep(0.01)
while True:
    await asyncio.sleep(0.01)
