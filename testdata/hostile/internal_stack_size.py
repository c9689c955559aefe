# expect: ok ""
import threading
threading.stack_size(2**30)
