# expect: deadline or MemoryError
# deadline: 300ms
import codecs
codecs.register_error("stay", lambda e: ("x", e.start))
b"\xff".decode("ascii", "stay")
