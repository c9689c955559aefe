# expect: deadline
# deadline: 200ms
x = [0] * 5_000_000
while True:
    x.insert(0, 1)
    x.pop(0)
