# expect: any
# deadline: 500ms
import dis
def f(): pass
pop = dis.opmap["POP_TOP"]
f.__code__ = f.__code__.replace(co_code=bytes([pop, 0]) * 10_000)
f()
