# expect: ModuleNotFoundError
import _interpreters
i = _interpreters.create()
_interpreters.run_string(i, "while True: pass")
