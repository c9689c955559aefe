# expect: ValueError
def f(n):
    exec("\n" * 100_000 + "raise ValueError", {})
f(1)
