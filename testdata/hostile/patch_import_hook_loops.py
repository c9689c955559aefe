# expect: deadline
# deadline: 200ms
import sys
class F:
    def find_spec(self, *a):
        while True: pass
sys.meta_path.insert(0, F())
import fractions
