# expect: ValueError
memoryview(bytes(8)).cast("B", [2**30, 2**30])
