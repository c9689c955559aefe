# expect: AttributeError or exit or ImportError or crash "unreachable"
import faulthandler
faulthandler._sigsegv()
