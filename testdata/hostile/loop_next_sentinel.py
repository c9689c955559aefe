# expect: deadline
# deadline: 200ms
for _ in iter(lambda: 0, 1): pass
