# expect: ok or RecursionError
# Freeing a tuple takes no room of the stack that CPython watches, but for what
# the meter takes of it.
# Unpickling does not recurse, but what it makes is 400,000 deep.
import pickle
x = pickle.loads(b"N" + b"\x85" * 400_000 + b".")
del x
