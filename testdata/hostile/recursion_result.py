# expect: ok ""
x = []
for _ in range(200_000):
    x = [x]
result = x
