# expect: RecursionError or MemoryError or deadline
# deadline: 3s
# Without a limit the interpreter's frames take what memory there is.
import sys
sys.setrecursionlimit(10**6)
def f(): f()
f()
