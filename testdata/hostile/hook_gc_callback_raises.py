# expect: ok ""
import gc
def f(*a): raise ValueError
gc.callbacks.append(f)
gc.collect()
