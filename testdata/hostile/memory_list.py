# expect: MemoryError
x = []
while True:
    x.append([x] * 1000)
