# expect: OverflowError
b"x".zfill(2**31 - 1)
