# expect: deadline or MemoryError or ok
# deadline: 500ms
import sys
for _ in range(20_000):
    sys.addaudithook(lambda *a: None)
while True:
    compile("1", "x", "eval")
