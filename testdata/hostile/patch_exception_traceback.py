# expect: ValueError
# A traceback that has itself as its next entry cannot be made; one of 20,000
# can.
import types
e = ValueError()
try: raise e
except ValueError: pass
tb = e.__traceback__
for n in range(20_000):
    tb = types.TracebackType(tb, tb.tb_frame, -1, 2**31 - 1)
raise e.with_traceback(tb)
