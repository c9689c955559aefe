# expect: UnicodeEncodeError
print("\ud800" * 1000)
