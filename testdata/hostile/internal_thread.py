# expect: RuntimeError
# timeout: 500ms
import _thread
_thread.start_new_thread(lambda: None, ())
