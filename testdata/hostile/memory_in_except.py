# expect: MemoryError
x = []
try:
    while True:
        x.append(bytes(1 << 16))
except MemoryError:
    y = []
    while True:
        y.append(object())
