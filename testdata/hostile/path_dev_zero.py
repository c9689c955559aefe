# expect: FileNotFoundError
open("/dev/zero", "rb").read()
