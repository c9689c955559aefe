# expect: deadline
# deadline: 200ms
import gc
x = [[n] for n in range(300_000)]
while True:
    gc.get_referrers(x)
