# expect: MemoryError
import contextlib
with contextlib.ExitStack() as s:
    for _ in range(200_000):
        s.callback(lambda: None)
