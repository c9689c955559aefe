# expect: RuntimeError
x = {1: 1}
for n in x:
    x[n + 1] = 1
