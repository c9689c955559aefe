import asyncio, json, time

CALLS = 10_000
times = {}


async def many(function):
    for n in range(CALLS):
        await function(x=n)


for name in ("f", "typed"):
    if name in globals():
        function = globals()[name]
        for n in range(100):
            await function(x=n)
        began = time.perf_counter()
        await many(function)
        times[f"await {name}(x), each"] = (time.perf_counter() - began) / CALLS

began = time.perf_counter()
await asyncio.gather(*(wait(seconds=0.05) for _ in range(100)))
times["gather of 100 x 50 ms"] = time.perf_counter() - began
print(json.dumps(times))
