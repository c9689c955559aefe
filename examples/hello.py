import json
import re
import sys

words = re.findall(r"\w+", "hello from Python in a sandbox")
print(json.dumps({"python": sys.version.split()[0], "platform": sys.platform, "words": words}))
