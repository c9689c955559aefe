# expect: ValueError
open("/tmp/x\0y", "w")
