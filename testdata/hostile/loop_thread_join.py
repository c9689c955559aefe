# expect: RuntimeError or limit time
# timeout: 300ms
import threading
threading.current_thread().join()
