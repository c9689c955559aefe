# expect: ok ""
import select
for fds in ([-1], [99], [2**31 - 1], [0] * 2000, list(range(2000)), [0, 1, 2, 3]):
    try: select.select(fds, fds, fds, 0)
    except (OSError, ValueError, OverflowError): pass
