# expect: ValueError
e = ValueError("a")
e.__cause__ = e
raise e
