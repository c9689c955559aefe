# expect: OSError or ok or MemoryError or deadline
# deadline: 500ms
import os
kept = []
while True:
    kept.append(os.scandir("/tmp"))
    next(kept[-1], None)
