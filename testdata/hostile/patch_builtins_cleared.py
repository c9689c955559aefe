# expect: ZeroDivisionError
import builtins
vars(builtins).clear()
1 / 0
