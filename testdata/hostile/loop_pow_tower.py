# expect: deadline or MemoryError
# deadline: 500ms
9**9**9
