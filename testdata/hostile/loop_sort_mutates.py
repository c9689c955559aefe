# expect: ValueError
x = list(range(1000))
x.sort(key=lambda n: x.append(n) or n)
