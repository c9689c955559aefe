# expect: FileNotFoundError
open("../../../../../../../../etc/passwd")
