# expect: deadline
# deadline: 200ms
import gc
def f(*a):
    while True: pass
gc.callbacks.append(f)
x = []
while True:
    x.append([])
