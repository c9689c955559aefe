# expect: ModuleNotFoundError
import sys
sys.meta_path.clear()
sys.path_hooks.clear()
import fractions
