# expect: tarfile.AbsoluteLinkError or tarfile.LinkOutsideDestinationError or OSError
import io, tarfile
raw = io.BytesIO()
with tarfile.open(fileobj=raw, mode="w") as t:
    m = tarfile.TarInfo("l")
    m.type, m.linkname = tarfile.SYMTYPE, "/usr"
    t.addfile(m)
    t.addfile(tarfile.TarInfo("l/x"))
raw.seek(0)
tarfile.open(fileobj=raw).extractall("/tmp/d")
