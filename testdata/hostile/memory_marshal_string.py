# expect: OverflowError
import io, marshal
marshal.load(io.BytesIO(b"s\xff\xff\xff\x7f"))
