# expect: FileNotFoundError
open("")
