# expect: ValueError
import sys
sys.path[:] = ["\0", "x" * 100_000, None, 1, "/tmp"]
sys.path_importer_cache.clear()
import fractions
