# expect: ok or AttributeError or RuntimeError or ImportError or deadline
# deadline: 500ms
import faulthandler
faulthandler.dump_traceback_later(0.01, exit=True)
