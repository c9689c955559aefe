# expect: ok ""
import sys
sys._clear_internal_caches()
sys._clear_type_cache()
sys._debugmallocstats()
