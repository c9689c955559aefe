# expect: limit time or MemoryError
# timeout: 500ms
9**9**9
