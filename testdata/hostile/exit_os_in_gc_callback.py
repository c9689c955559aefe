# expect: exit 7
import gc, os
gc.callbacks.append(lambda *a: os._exit(7))
gc.collect()
