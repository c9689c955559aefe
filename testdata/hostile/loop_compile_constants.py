# expect: MemoryError or SyntaxError or deadline or OverflowError or ok
# deadline: 500ms
compile("x = " + "'a' * 4096 * 4096 * 4096", "x", "exec")
compile("x = 1 << 1000000000", "x", "exec")
compile("x = " + "9" * 4000 + " ** " + "9" * 4000, "x", "exec")
