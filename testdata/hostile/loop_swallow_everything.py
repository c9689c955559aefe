# expect: deadline
# deadline: 200ms
def f():
    while True:
        try:
            while True: f()
        except: continue
f()
