# expect: MemoryError
def fill():
    x = []
    try:
        while True:
            x.append(bytes(1 << 16))
    finally:
        x.append("x" * 10_000_000)
fill()
