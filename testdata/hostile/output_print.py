# expect: limit time
# timeout: 200ms
while True:
    print("x" * 100_000)
