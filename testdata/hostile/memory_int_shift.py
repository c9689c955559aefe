# expect: OverflowError
1 << (1 << 40)
