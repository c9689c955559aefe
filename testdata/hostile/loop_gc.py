# expect: deadline
# deadline: 200ms
import gc
x = [[] for _ in range(300_000)]
while True:
    gc.collect()
