# expect: any
# deadline: 500ms
# Bytecode is not verified: what it does to the interpreter is undefined, and
# must not be more than an end of the sandbox.
import random
r = random.Random(7)
def f(): pass
for _ in range(200):
    try:
        f.__code__ = f.__code__.replace(co_code=bytes(r.randbytes(40)), co_stacksize=100)
        f()
    except Exception: pass
