# expect: deadline or ok
# deadline: 500ms
# Canonical ordering of combining marks is quadratic.
import unicodedata
unicodedata.normalize("NFD", "a" + "\u0300\u0316" * 300_000)
