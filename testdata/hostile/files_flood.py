# expect: OSError
import tempfile
kept = []
while True:
    f = tempfile.NamedTemporaryFile(delete=False)
    f.write(bytes(100_000))
    f.close()
