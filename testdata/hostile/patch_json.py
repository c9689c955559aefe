# expect: ok ""
import json
json.dumps = json.JSONEncoder.encode = json.encoder.c_make_encoder = None
json.JSONEncoder.iterencode = json.JSONEncoder.default = lambda *a: iter(["not json"])
result = [1]
