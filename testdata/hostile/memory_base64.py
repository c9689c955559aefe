# expect: MemoryError
import base64
x = bytes(1 << 20)
while True:
    x = base64.b16encode(x)
