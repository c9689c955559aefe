# expect: deadline
# deadline: 200ms
while True:
    (b"a" * 3_000_000).find(b"a" * 1_500_000 + b"b")
