# expect: MemoryError
import io
s = io.StringIO()
while True:
    s.write("x" * 100_000)
