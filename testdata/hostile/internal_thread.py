# expect: RuntimeError
import _thread
_thread.start_new_thread(lambda: None, ())
