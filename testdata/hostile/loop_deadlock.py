# expect: limit time or RuntimeError
# timeout: 300ms
import threading
lock = threading.Lock()
lock.acquire()
lock.acquire()
