# expect: RecursionError
import json
x = []
for _ in range(200_000):
    x = [x]
json.dumps(x)
