# expect: OSError
import os
for n in range(3):
    os.close(n)
print("nobody hears this")
