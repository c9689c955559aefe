# expect: OSError
open("/tmp/" + "../" * 100_000 + "etc/passwd")
