# expect: exit 12
import os, sys
class F:
    def find_spec(*a): os._exit(12)
sys.meta_path.insert(0, F)
import no_such_module
