# expect: limit time
# timeout: 200ms
sum(range(10**12))
