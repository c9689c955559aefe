# expect: AttributeError
import os
r, w = os.pipe()
while True:
    os.write(w, bytes(65536))
