# expect: any
# deadline: 500ms
import marshal, random
r = random.Random(3)
code = marshal.dumps(compile("x = [1, 2, 3]\nfor n in x: print(n)", "x", "exec"))
for _ in range(500):
    b = bytearray(code)
    for _ in range(3):
        b[r.randrange(len(b))] = r.randrange(256)
    try: exec(marshal.loads(bytes(b)), {})
    except BaseException: pass
