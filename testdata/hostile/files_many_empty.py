# expect: OSError or deadline
# deadline: 500ms
n = 0
while True:
    open(f"/tmp/{n}", "w").close()
    n += 1
