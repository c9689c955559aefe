# expect: OSError
kept = []
while True:
    kept.append(open("/tmp/x", "w"))
