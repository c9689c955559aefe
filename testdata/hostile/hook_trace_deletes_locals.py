# expect: TypeError
import sys
def trace(frame, event, arg):
    frame.f_locals.update(x=[], y=None)
    frame.clear() if event == "return" else None
    return trace
def f():
    x = 1
    y = 2
    return x, y
sys.settrace(trace)
f()
