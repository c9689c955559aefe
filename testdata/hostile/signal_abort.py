# expect: crash "unreachable"
import os
os.abort()
