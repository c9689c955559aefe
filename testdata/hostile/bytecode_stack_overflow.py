# expect: any
# deadline: 500ms
import dis
def f(): pass
op = dis.opmap["LOAD_CONST"]
f.__code__ = f.__code__.replace(co_code=bytes([op, 0]) * 1_000_000, co_stacksize=1)
f()
