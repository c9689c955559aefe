# expect: MemoryError
compile("class C[T: " + "list[" * 5000 + "]" * 5000 + "]: pass", "x", "exec")
