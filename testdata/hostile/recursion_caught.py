# expect: limit time
# timeout: 200ms
def f():
    try:
        f()
    finally:
        f()
f()
