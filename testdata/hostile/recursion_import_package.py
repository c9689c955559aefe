# expect: RecursionError
__import__(".".join(["a"] * 100_000))
