# expect: tarfile.ReadError or tarfile.HeaderError or tarfile.InvalidHeaderError or OSError
import io, tarfile
tarfile.open(fileobj=io.BytesIO(b"\xff" * 10_240)).getmembers()
