# expect: deadline or MemoryError
# deadline: 500ms
m = (1 << 61) - 1
m32 = (1 << 31) - 1
x = set()
n = 1
while True:
    x.add(n * m * m32)
    n += 1
