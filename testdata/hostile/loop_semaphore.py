# expect: limit time or RuntimeError
# timeout: 300ms
import threading
threading.Semaphore(0).acquire()
