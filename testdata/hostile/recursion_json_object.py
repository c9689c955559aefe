# expect: RecursionError
import json
json.loads('{"a":' * 300_000)
