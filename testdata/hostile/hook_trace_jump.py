# expect: deadline
# deadline: 200ms
import sys
def trace(frame, event, arg):
    if event == "line" and frame.f_lineno > f.__code__.co_firstlineno + 1:
        frame.f_lineno = f.__code__.co_firstlineno + 1
    return trace
def f():
    x = 1
    y = 2
    z = 3
sys.settrace(trace)
f()
