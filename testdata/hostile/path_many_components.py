# expect: OSError
open("/tmp/" + "a/" * 1_000_000)
