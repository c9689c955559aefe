# expect: deadline
# deadline: 200ms
a = 1 << 20_000_000
b = (1 << 10_000_000) + 1
while True:
    a // b
