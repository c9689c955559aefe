# expect: ok or RecursionError or crash "stack overflow"
# Freeing a tuple takes no room of the stack that CPython watches, only of the
# native one.
# Unpickling does not recurse, but what it makes is 400,000 deep.
import pickle
x = pickle.loads(b"N" + b"\x85" * 400_000 + b".")
del x
