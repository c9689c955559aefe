# expect: deadline
# deadline: 200ms
x = [0] * 5_000_000
y = x[:]
while x == y:
    pass
