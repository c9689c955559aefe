# expect: deadline or crash or SystemError or any
# deadline: 500ms
def f():
    x = 1
    return x
c = bytearray(f.__code__.co_code)
import dis
c[-2:] = bytes([dis.opmap["JUMP_BACKWARD_NO_INTERRUPT"], len(c) // 2 - 1])
f.__code__ = f.__code__.replace(co_code=bytes(c))
f()
