# expect: exit 15
import os
sorted([1, 2], key=lambda n: os._exit(15))
