# expect: any
import sys
m = sys.monitoring
for tool in range(6):
    try: m.use_tool_id(tool, "x")
    except ValueError: continue
    for n in range(17):
        try: m.register_callback(tool, 1 << n, lambda *a: m.DISABLE)
        except ValueError: pass
    try: m.set_events(tool, 0xFFFF)
    except ValueError: pass
def f(n):
    for x in range(n):
        try: yield f(x)
        except GeneratorExit: return
list(f(100))
