# expect: deadline
# deadline: 200ms
3 ** (10**9)
