# expect: any
# deadline: 500ms
import dis
def f(): pass
f.__code__ = f.__code__.replace(co_code=bytes([dis.opmap["EXTENDED_ARG"], 255, dis.opmap["EXTENDED_ARG"], 255, dis.opmap["LOAD_CONST"], 255, dis.opmap["RETURN_VALUE"], 0]))
print(f())
