# expect: KeyError
import io, tarfile
raw = io.BytesIO()
with tarfile.open(fileobj=raw, mode="w") as t:
    for a, b in (("a", "b"), ("b", "a")):
        m = tarfile.TarInfo(a)
        m.type, m.linkname = tarfile.LNKTYPE, b
        t.addfile(m)
raw.seek(0)
tarfile.open(fileobj=raw).extractall("/tmp", filter="data")
