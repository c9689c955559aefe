# expect: RecursionError
x = {}
for _ in range(200_000):
    x = {"a": x}
f"{x}"
