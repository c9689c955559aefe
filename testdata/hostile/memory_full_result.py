# expect: ok ""
# The list stays until the end, when the result has to be serialised.
x = []
try:
    while True:
        x.append(object())
except MemoryError:
    result = "full"
