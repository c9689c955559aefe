# expect: MemoryError or RecursionError or crash "stack overflow"
# The parser makes a tree that deep without recursion; what walks it first is
# stopped by the native stack before CPython notices.
compile("a" + ".b" * 300_000, "x", "eval")
