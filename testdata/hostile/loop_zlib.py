# expect: deadline
# deadline: 200ms
import zlib
data = b"".join(n.to_bytes(3) for n in range(300_000))
while True:
    zlib.compress(data, 9)
