# expect: ok ""
import faulthandler, sys
faulthandler.enable(file=sys.__stderr__)
faulthandler.dump_traceback(file=sys.__stderr__)
