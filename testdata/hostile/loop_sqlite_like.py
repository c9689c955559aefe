# expect: deadline or sqlite3.OperationalError or sqlite3.DataError
# deadline: 500ms
import sqlite3
c = sqlite3.connect(":memory:")
while True:
    c.execute("select ? like ?", ("a" * 40_000, "%a" * 2_000 + "b")).fetchall()
