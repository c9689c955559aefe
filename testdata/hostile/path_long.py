# expect: OSError
open("/tmp/" + "x" * 10_000_000)
