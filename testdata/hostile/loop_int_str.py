# expect: ValueError
int("9" * 10**7)
