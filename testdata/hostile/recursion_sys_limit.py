# expect: RecursionError or MemoryError or crash "stack overflow"
# Without a limit the interpreter's frames take what memory there is.
import sys
sys.setrecursionlimit(10**6)
def f(): f()
f()
