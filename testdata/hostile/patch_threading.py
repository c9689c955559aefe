# expect: ok ""
import threading
threading._shutdown = lambda: 1 / 0
threading._main_thread = None
