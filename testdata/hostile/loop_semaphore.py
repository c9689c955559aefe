# expect: deadline or RuntimeError
# deadline: 300ms
import threading
threading.Semaphore(0).acquire()
