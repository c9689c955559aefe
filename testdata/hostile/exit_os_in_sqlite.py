# expect: exit 14
import os, sqlite3
c = sqlite3.connect(":memory:")
c.create_function("f", 0, lambda: os._exit(14))
c.execute("select f()").fetchall()
