# expect: ok ""
import sys
for f in sys._current_frames().values():
    while f:
        f.f_locals.clear() if hasattr(f.f_locals, "clear") and f.f_back else None
        f = f.f_back
