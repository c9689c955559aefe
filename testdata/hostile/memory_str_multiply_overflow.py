# expect: OverflowError
"x" * 10**30
