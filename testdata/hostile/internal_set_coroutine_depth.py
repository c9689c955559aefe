# expect: ok ""
import sys
sys.set_coroutine_origin_tracking_depth(2**31 - 1)
async def f(): pass
f().close()
