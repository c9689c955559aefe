# expect: any
import marshal, random
r = random.Random(5)
for _ in range(20_000):
    try: marshal.loads(r.randbytes(30))
    except (ValueError, EOFError, TypeError, MemoryError, UnicodeDecodeError, SystemError): pass
