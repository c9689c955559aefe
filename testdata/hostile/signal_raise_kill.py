# expect: exit or OSError or AttributeError or crash "unreachable"
import signal
signal.raise_signal(9)
