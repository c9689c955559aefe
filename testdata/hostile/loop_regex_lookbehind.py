# expect: deadline
# deadline: 200ms
import re
re.findall(r"(?=(a*)*b)", "a" * 100)
