# expect: ok ""
# Every function of posix, but those that end the script, with odd arguments.
import posix
for name in dir(posix):
    if name in ("_exit", "abort") or name.startswith("__"): continue
    f = getattr(posix, name)
    if not callable(f): continue
    for args in ((), (-1,), (2**31 - 1,), ("/tmp/x",), ("", ""), (0, 0), (1, 2**40, 3), ("x" * 5000, -1), (b"\xff", 0o777), (None, None, None)):
        try: f(*args)
        except (Exception, SystemExit): pass
