# expect: MemoryError
n = 2**31 - 2
f"{'x':>{n}}"
