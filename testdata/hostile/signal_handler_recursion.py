# expect: RecursionError or ok or limit time
# timeout: 500ms
import signal
signal.signal(signal.SIGINT, lambda *a: signal.raise_signal(signal.SIGINT))
signal.raise_signal(signal.SIGINT)
for _ in range(1000): pass
