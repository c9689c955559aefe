# expect: ok "200\n"
# What is freed can be used again, however often the limit was met.
n = 0
for _ in range(200):
    try:
        bytearray(200_000_000)
    except MemoryError:
        n += 1
print(n)
