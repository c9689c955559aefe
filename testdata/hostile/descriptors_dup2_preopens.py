# expect: AttributeError
import os
for n in range(3, 40):
    try: os.dup2(1, n)
    except OSError: pass
os.listdir("/")
