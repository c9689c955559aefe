# expect: deadline
# deadline: 200ms
import sqlite3
c = sqlite3.connect(":memory:")
def forever(a, b):
    while True: pass
c.create_collation("forever", forever)
c.execute("select 'a' = 'b' collate forever").fetchall()
