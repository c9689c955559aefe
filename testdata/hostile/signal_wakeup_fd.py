# expect: ValueError
import signal
signal.set_wakeup_fd(1)
signal.signal(signal.SIGINT, lambda *a: None)
signal.raise_signal(signal.SIGINT)
