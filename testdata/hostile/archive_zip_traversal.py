# expect: ok "['etc']\n"
import io, os, zipfile
raw = io.BytesIO()
with zipfile.ZipFile(raw, "w") as z:
    z.writestr("../../../etc/passwd", "x")
zipfile.ZipFile(raw).extractall("/tmp/d")
print(os.listdir("/tmp/d"))
