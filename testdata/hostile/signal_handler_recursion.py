# expect: RecursionError or ok or deadline
# deadline: 500ms
import signal
signal.signal(signal.SIGINT, lambda *a: signal.raise_signal(signal.SIGINT))
signal.raise_signal(signal.SIGINT)
for _ in range(1000): pass
