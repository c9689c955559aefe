# expect: ExceptionGroup
e = [ValueError(n) for n in range(10)]
for _ in range(3):
    e = [ExceptionGroup("g", e) for _ in range(10)]
raise ExceptionGroup("all", e)
