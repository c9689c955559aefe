# expect: ValueError
e = ValueError("x")
e.__notes__ = ["note"] * 300_000
raise e
