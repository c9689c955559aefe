# expect: AttributeError
import faulthandler
faulthandler._stack_overflow()
