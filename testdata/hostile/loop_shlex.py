# expect: deadline or MemoryError
# deadline: 300ms
import shlex
while True:
    shlex.split("'a' " * 10_000)
