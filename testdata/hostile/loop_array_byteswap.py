# expect: deadline
# deadline: 200ms
import array
x = array.array("q", bytes(40_000_000))
while True:
    x.byteswap()
    x.reverse()
