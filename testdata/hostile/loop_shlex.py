# expect: limit time or MemoryError
# timeout: 300ms
import shlex
while True:
    shlex.split("'a' " * 10_000)
