# expect: any
# Every dictionary of the interpreter is emptied, its modules' included.
import gc
for o in gc.get_objects():
    if type(o) is dict:
        o.clear()
