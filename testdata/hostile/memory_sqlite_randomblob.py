# expect: MemoryError
import sqlite3
sqlite3.connect(":memory:").execute("select hex(randomblob(500000000))").fetchall()
