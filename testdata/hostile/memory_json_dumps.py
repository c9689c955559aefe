# expect: MemoryError
import json
x = ["x" * 1000] * 100
for _ in range(4):
    x = [x] * 100
json.dumps(x)
