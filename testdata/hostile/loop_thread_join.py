# expect: RuntimeError or deadline
# deadline: 300ms
import threading
threading.current_thread().join()
