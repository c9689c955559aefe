# expect: ok or OSError or ImportError or MemoryError
kept = []
try:
    while True:
        kept.append(open("/tmp/x", "w"))
except OSError:
    pass
import fractions
