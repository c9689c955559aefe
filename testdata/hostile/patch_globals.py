# expect: ZeroDivisionError
globals().clear()
1 / 0
