# expect: RecursionError
import json
x = {}
x["x"] = x
json.dumps(x, check_circular=False)
