# expect: ValueError
# The traceback's printer meets 50,000 exceptions in a chain.
e = None
for n in range(10_000):
    new = ValueError(n)
    new.__cause__ = e
    e = new
raise e
