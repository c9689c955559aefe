# expect: deadline
# deadline: 200ms
def f():
    try:
        f()
    finally:
        f()
f()
