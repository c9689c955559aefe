# expect: deadline
# deadline: 500ms
x = list(range(1_000_000))
while True:
    x.reverse()
    x.index(999_999) if x[0] == 0 else x.index(0)
