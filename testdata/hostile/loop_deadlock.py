# expect: deadline or RuntimeError
# deadline: 300ms
import threading
lock = threading.Lock()
lock.acquire()
lock.acquire()
