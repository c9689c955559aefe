# expect: exit 2
import sys
class C:
    def __str__(self): sys.exit(2)
try: sys.exit(2)
finally: str(sys.exc_info)
