# expect: crash
import faulthandler
faulthandler._sigsegv()
