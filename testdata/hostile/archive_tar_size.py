# expect: tarfile.ReadError or EOFError or OverflowError or ok or ValueError or OSError
import io, tarfile
m = tarfile.TarInfo("x")
m.size = 2**60
t = tarfile.open(fileobj=io.BytesIO(m.tobuf() + b"x" * 512))
t.extractfile(t.getmembers()[0]).read(10)
