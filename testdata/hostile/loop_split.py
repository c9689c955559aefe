# expect: deadline or MemoryError
# deadline: 500ms
while True:
    ("a " * 2_000_000).split()
