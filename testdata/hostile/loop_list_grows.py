# expect: MemoryError or limit time
# timeout: 500ms
x = [1]
for n in x:
    x.append(n)
