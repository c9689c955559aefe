# expect: MemoryError
import sqlite3
sqlite3.connect(":memory:").execute("select printf('%.*c', 900000000, 'x')").fetchall()
