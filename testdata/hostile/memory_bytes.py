# expect: MemoryError
x = b"x"
while True:
    x += x
