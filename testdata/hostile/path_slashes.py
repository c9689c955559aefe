# expect: IsADirectoryError
open("/" * 1_000_000)
