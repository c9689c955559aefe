# expect: KeyboardInterrupt
import signal
signal.default_int_handler = None
signal.getsignal = None
signal.raise_signal(signal.SIGINT)
