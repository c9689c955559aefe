# expect: OSError or ok or MemoryError or limit time
# timeout: 500ms
import os
kept = []
while True:
    kept.append(os.scandir("/tmp"))
    next(kept[-1], None)
