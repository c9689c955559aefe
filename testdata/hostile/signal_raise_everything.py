# expect: ok ""
import signal
for n in range(-2, 200):
    try: signal.signal(n, lambda *a: None)
    except (ValueError, OSError): continue
    signal.raise_signal(n)
