# expect: deadline
# deadline: 200ms
import sqlite3
c = sqlite3.connect(":memory:")
c.set_progress_handler(lambda: 0, 1)
c.execute("with recursive c(x) as (select 1 union all select x+1 from c) select max(x) from c").fetchall()
