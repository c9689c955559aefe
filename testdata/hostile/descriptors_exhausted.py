# expect: OSError or MemoryError
kept = []
while True:
    kept.append(open("/tmp/x", "w"))
