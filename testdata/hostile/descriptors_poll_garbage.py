# expect: ok ""
import select
p = select.poll()
for fd in list(range(100)) + [2**31 - 1]:
    p.register(fd, 0xFFFF)
try: p.poll(0)
except (OSError, ValueError): pass
