# expect: deadline
# deadline: 200ms
import re
re.match(r"(.*)*$\n!", "a" * 60)
