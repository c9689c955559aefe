# expect: deadline
# deadline: 200ms
import sys
def trace(frame, event, arg):
    frame.f_trace_opcodes = True
    return trace
def f():
    while True: pass
sys.settrace(trace)
f()
