# expect: MemoryError
x = {}
while True:
    x[len(x)] = object()
