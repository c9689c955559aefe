# expect: TypeError
int.__add__ = None
