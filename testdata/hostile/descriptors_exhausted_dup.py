# expect: OSError or AttributeError
import os
while True:
    os.dup(1)
