# expect: MemoryError or deadline
# deadline: 500ms
x = 3
while True:
    x *= x
