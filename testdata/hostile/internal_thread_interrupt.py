# expect: KeyboardInterrupt
import _thread
_thread.interrupt_main()
for _ in range(10): pass
