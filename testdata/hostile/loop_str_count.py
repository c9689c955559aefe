# expect: deadline
# deadline: 200ms
while True:
    ("ab" * 5_000_000).count("ba" * 1_000_000 + "c")
