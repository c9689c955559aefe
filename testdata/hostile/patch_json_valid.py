# expect: ok ""
import json
json.dumps = lambda *a, **k: '"' + "x" * 1_000_000 + '"'
json.JSONEncoder.encode = lambda *a, **k: "[" * 100_000
result = [1]
