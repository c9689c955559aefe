# expect: MemoryError
import gzip, io
raw = io.BytesIO()
with gzip.GzipFile(fileobj=raw, mode="wb") as f:
    for _ in range(100):
        f.write(bytes(1 << 20))
gzip.decompress(raw.getvalue())
