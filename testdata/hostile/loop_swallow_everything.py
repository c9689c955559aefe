# expect: limit time
# timeout: 200ms
def f():
    while True:
        try:
            while True: f()
        except: continue
f()
