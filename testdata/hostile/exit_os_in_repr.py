# expect: exit 8
import os
class E(Exception):
    def __str__(self): os._exit(8)
raise E
