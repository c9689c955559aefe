# expect: ok ""
x = [1]
for _ in range(20):
    x.extend(iter(x[:]))
    x += x
    del x[1000:]
