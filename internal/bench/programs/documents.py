# C code over many small objects: JSON there and back, and sorting with a key.
import json

records = [{"id": n, "name": f"record {n * 7919 % 1000}", "tags": ["a", "b", str(n)], "score": n * 37 % 101 / 4, "none": None} for n in range(1500)]
for _ in range(6):
    text = json.dumps(records)
    records = json.loads(text)
    records.sort(key=lambda r: (r["score"], r["name"], r["id"]))
print(len(text), records[0]["id"], records[-1]["name"])
