# expect: deadline
# deadline: 200ms
pow(3, 10**50_000, 7**30_000)
