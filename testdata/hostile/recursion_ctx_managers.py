# expect: deadline
# deadline: 200ms
import contextlib
with contextlib.ExitStack() as s:
    def f(): s.callback(f); f()
    f()
