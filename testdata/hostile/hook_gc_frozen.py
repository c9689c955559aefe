# expect: ok ""
import gc
gc.unfreeze()
gc.collect()
gc.freeze()
