# expect: SystemError
import io
s = io.BytesIO()
s.seek(2**31 - 2)
s.write(b"x")
