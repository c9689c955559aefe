# expect: MemoryError or SyntaxError or limit time or OverflowError or ok
# timeout: 500ms
compile("x = " + "'a' * 4096 * 4096 * 4096", "x", "exec")
compile("x = 1 << 1000000000", "x", "exec")
compile("x = " + "9" * 4000 + " ** " + "9" * 4000, "x", "exec")
