# expect: ValueError
import sys
def trace(*a): raise ValueError
def f(): pass
sys.settrace(trace)
f()
