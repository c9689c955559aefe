# expect: MemoryError or limit time
# timeout: 500ms
x = 3
while True:
    x *= x
