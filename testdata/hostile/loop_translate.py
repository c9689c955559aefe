# expect: deadline or MemoryError
# deadline: 500ms
while True:
    ("a" * 5_000_000).translate({97: "\u20ac"})
