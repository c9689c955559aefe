# expect: deadline or RuntimeError
# deadline: 300ms
import queue
queue.Queue(1).get()
