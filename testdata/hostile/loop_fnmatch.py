# expect: deadline
# deadline: 200ms
import fnmatch
while True:
    fnmatch.fnmatch("a" * 20_000, "*a" * 500 + "b")
