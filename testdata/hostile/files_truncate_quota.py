# expect: OSError
f = open("/tmp/x", "wb")
f.truncate(10**9)
f.read()
