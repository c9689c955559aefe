# expect: MemoryError
import codecs
for name in ("strict", "replace", "backslashreplace", "surrogateescape", "ignore"):
    codecs.register_error(name, lambda e: ("x" * 10, 0))
print("\ud800")
