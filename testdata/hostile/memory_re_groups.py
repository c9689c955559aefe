# expect: ok ""
import re
re.compile("(?:" * 90 + "a" + "{1000})" * 90)
