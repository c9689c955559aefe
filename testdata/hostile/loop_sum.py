# expect: deadline
# deadline: 200ms
sum(range(10**12))
