# expect: AttributeError
import signal
signal.alarm(1)
