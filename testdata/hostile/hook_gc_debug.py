# expect: ok ""
import gc
gc.set_debug(gc.DEBUG_LEAK | gc.DEBUG_STATS)
for _ in range(100):
    x = []
    x.append(x)
gc.collect()
