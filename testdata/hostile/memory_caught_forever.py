# expect: deadline
# deadline: 200ms
while True:
    try:
        x = []
        while True:
            x.append(bytes(1 << 20))
    except MemoryError:
        pass
