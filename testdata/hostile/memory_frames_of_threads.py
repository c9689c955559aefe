# expect: RuntimeError
import threading
for _ in range(100_000):
    threading.Thread(target=lambda: None).start()
