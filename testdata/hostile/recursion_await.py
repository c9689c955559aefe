# expect: MemoryError
compile("async def f():\n " + "await (" * 150 + "x" + ")" * 150, "x", "exec")
