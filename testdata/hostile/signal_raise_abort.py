# expect: crash "unreachable"
import signal
signal.raise_signal(signal.SIGABRT)
