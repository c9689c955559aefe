# expect: MemoryError
kept = []
def f(n):
    data = bytes(100_000)
    raise ValueError(data)
while True:
    try:
        f(1)
    except ValueError as e:
        kept.append(e)
