# expect: any
# deadline: 500ms
# Reads and writes far outside a frame: the classic way to native memory.
import dis
def f(): pass
code = []
for n in range(0, 200):
    code += [dis.opmap["LOAD_FAST_BORROW"], n, dis.opmap["STORE_FAST"], 255 - n]
f.__code__ = f.__code__.replace(co_code=bytes(code))
f()
