# expect: deadline
# deadline: 200ms
import gc
gc.set_threshold(1, 1, 1)
x = []
while True:
    x.append([])
