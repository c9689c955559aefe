# expect: limit time or RuntimeError
# timeout: 300ms
import queue
queue.Queue(1).get()
