# expect: tarfile.OutsideDestinationError or tarfile.AbsolutePathError or OSError
import io, tarfile
raw = io.BytesIO()
with tarfile.open(fileobj=raw, mode="w") as t:
    t.addfile(tarfile.TarInfo("../../../etc/passwd"))
raw.seek(0)
tarfile.open(fileobj=raw).extractall("/tmp/d")
