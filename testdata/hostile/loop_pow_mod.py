# expect: limit time
# timeout: 200ms
pow(3, 10**50_000, 7**30_000)
