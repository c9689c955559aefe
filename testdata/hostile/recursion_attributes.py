# expect: MemoryError or RecursionError
# The parser makes a tree that deep without recursion; what walks it has no frame
# in the stack that CPython watches, but for what the meter takes of it.
compile("a" + ".b" * 300_000, "x", "eval")
