# expect: limit time or MemoryError
# timeout: 500ms
while True:
    ("a " * 2_000_000).split()
