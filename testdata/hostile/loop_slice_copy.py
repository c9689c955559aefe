# expect: deadline
# deadline: 200ms
x = bytearray(40_000_000)
while True:
    x[:20_000_000] = x[20_000_000:]
