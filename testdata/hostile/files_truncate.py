# expect: OSError
open("/tmp/x", "wb").truncate(2**62)
