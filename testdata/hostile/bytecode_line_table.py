# expect: any
# deadline: 500ms
def f():
    raise ValueError
f.__code__ = f.__code__.replace(co_linetable=b"\xff" * 1000, co_firstlineno=-(2**31))
f()
