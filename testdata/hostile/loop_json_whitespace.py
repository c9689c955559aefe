# expect: deadline
# deadline: 200ms
import json
while True:
    try: json.loads(" " * 5_000_000)
    except ValueError: pass
