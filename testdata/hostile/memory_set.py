# expect: limit time
# timeout: 200ms
x = set()
while True:
    x.add((len(x),))
