# expect: MemoryError or deadline
# deadline: 500ms
x = [1]
for n in x:
    x.append(n)
