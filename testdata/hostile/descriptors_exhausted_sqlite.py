# expect: sqlite3.OperationalError
import sqlite3
kept = []
while True:
    c = sqlite3.connect(f"/tmp/{len(kept)}")
    c.execute("begin exclusive")
    kept.append(c)
