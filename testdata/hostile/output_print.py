# expect: deadline
# deadline: 200ms
while True:
    print("x" * 100_000)
