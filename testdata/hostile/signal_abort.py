# expect: exit or crash "unreachable"
import os
os.abort()
