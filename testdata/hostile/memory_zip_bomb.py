# expect: MemoryError
import io, zipfile
raw = io.BytesIO()
with zipfile.ZipFile(raw, "w", zipfile.ZIP_DEFLATED) as z, z.open("bomb", "w") as f:
    for _ in range(100):
        f.write(bytes(1 << 20))
zipfile.ZipFile(raw).read("bomb")
