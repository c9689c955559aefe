# expect: deadline
# deadline: 200ms
x = set()
while True:
    x.add((len(x),))
