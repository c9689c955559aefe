# expect: FileNotFoundError or IsADirectoryError
open("")
