# expect: OverflowError
(1).to_bytes(2**31 - 1)
