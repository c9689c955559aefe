# expect: MemoryError
import json
json.dumps([1], indent=2**31 - 2)
