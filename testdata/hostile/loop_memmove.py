# expect: deadline
# deadline: 200ms
x = bytearray(40_000_000)
while True:
    del x[:1]
    x.insert(0, 1)
