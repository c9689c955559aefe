# expect: any
# deadline: 500ms
def f():
    raise ValueError
f.__code__ = f.__code__.replace(co_exceptiontable=bytes([0x80, 0xFF, 0xFF, 0xFF] * 10))
f()
