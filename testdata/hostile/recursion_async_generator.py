# expect: RecursionError
async def g():
    async for x in g():
        yield x
async for x in g():
    pass
