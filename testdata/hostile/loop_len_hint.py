# expect: MemoryError or deadline or OverflowError
# deadline: 500ms
class C:
    def __iter__(self): return iter([])
    def __length_hint__(self): return 2**31 - 1
list(C())
