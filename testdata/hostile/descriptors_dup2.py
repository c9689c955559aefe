# expect: AttributeError
import os
f = os.open("/tmp/x", os.O_RDWR | os.O_CREAT)
os.dup2(f, 1)
os.dup2(0, 2)
print("into the file")
