# expect: deadline
# deadline: 200ms
C = object
for n in range(3_000):
    C = type(f"C{n}", (C,), {})
C().missing if hasattr(C(), "missing") else None
