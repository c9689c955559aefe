# expect: deadline or ok or MemoryError
# deadline: 500ms
A = [type(f"A{n}", (), {}) for n in range(200)]
for n in range(200):
    A = [type(f"B{n}_{m}", (A[m], A[(m + 1) % 200]), {}) for m in range(200)]
