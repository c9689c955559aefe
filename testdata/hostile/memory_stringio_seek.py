# expect: OverflowError
import io
s = io.StringIO()
s.seek(2**31 - 2)
s.write("x")
