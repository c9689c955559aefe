# expect: limit time
# timeout: 200ms
3 ** (10**9)
