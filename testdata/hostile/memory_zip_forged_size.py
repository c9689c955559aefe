# expect: zipfile.BadZipFile
import io, struct, zipfile
raw = io.BytesIO()
with zipfile.ZipFile(raw, "w") as z:
    z.writestr("a", b"short")
b = bytearray(raw.getvalue())
at = b.rfind(b"PK\x01\x02")
b[at + 20 : at + 28] = struct.pack("<II", 0x7FFFFFFF, 0x7FFFFFFF)
zipfile.ZipFile(io.BytesIO(b)).read("a")
