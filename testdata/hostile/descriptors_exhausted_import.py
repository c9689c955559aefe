# expect: OSError or ImportError or ModuleNotFoundError
kept = []
try:
    while True:
        kept.append(open("/tmp/x", "w"))
except OSError:
    pass
import fractions
