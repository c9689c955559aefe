# expect: ok ""
import atexit
atexit.register(atexit._run_exitfuncs)
atexit._run_exitfuncs()
