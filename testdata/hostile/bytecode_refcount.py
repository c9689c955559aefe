# expect: any
# deadline: 500ms
# Steals references until an object that is in use is freed.
import dis
def f(): pass
code = []
for _ in range(100):
    code += [dis.opmap["LOAD_CONST"], 0, dis.opmap["POP_TOP"], 0]
    code += [dis.opmap["LOAD_FAST_BORROW"], 0, dis.opmap["LIST_APPEND"], 1]
f.__code__ = f.__code__.replace(co_code=bytes(code), co_consts=(object(),))
f()
