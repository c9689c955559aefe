# expect: ValueError
e = ValueError("a")
f = ValueError("b")
e.__context__ = f
f.__context__ = e
raise e
