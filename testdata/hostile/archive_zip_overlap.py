# expect: zipfile.BadZipFile
import io, zipfile
raw = io.BytesIO()
with zipfile.ZipFile(raw, "w") as z:
    for n in range(100): z.writestr(f"f{n}", b"x" * 1000)
z = zipfile.ZipFile(raw)
for i in z.infolist(): i.header_offset = 0
for i in z.infolist(): z.read(i)
