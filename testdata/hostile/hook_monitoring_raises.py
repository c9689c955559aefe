# expect: ValueError
import sys
m = sys.monitoring
m.use_tool_id(0, "x")
def event(*a): raise ValueError
m.register_callback(0, m.events.LINE, event)
m.set_events(0, m.events.LINE)
def f():
    x = 1
f()
