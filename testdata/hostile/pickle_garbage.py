# expect: ok ""
import pickle, random
r = random.Random(1)
for _ in range(3_000):
    data = bytes(r.choices(b"()]}NtI.dlq0123abceGHh\x80\x85\x86\x87\x88\x89\x8c\x8f\x90\x93\x94Rbusep2", k=20)) + b"."
    try: pickle.loads(data)
    except Exception: pass
