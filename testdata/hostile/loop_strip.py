# expect: deadline
# deadline: 200ms
chars = "".join(map(chr, range(1, 50_000)))
while True:
    ("\uffff" * 5_000).strip(chars)
    ("b" * 100_000).strip(chars)
