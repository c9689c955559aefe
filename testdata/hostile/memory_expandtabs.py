# expect: OverflowError
("\t" * 1000).expandtabs(2**31 - 1)
