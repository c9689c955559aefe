# expect: deadline
# deadline: 200ms
import gc
class C:
    def __init__(self): self.me = self
    def __del__(self): C()
C()
while True:
    gc.collect()
