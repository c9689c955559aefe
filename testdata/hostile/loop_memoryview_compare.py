# expect: deadline
# deadline: 200ms
x = memoryview(bytes(20_000_000)).cast("q")
y = memoryview(bytes(20_000_000)).cast("q")
while x == y:
    pass
