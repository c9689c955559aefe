# expect: deadline
# deadline: 200ms
import sys
def trace(*a):
    while True: pass
def f(): pass
sys.settrace(trace)
f()
