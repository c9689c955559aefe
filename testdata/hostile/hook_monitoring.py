# expect: deadline
# deadline: 200ms
import sys
m = sys.monitoring
m.use_tool_id(0, "x")
def event(*a):
    while True: pass
m.register_callback(0, m.events.PY_START, event)
m.set_events(0, m.events.PY_START)
def f(): pass
f()
