# expect: limit time
# timeout: 200ms
import contextlib
with contextlib.ExitStack() as s:
    def f(): s.callback(f); f()
    f()
