# expect: ValueError
import sys
sys.activate_stack_trampoline("perf")
