# expect: deadline
# deadline: 200ms
import sqlite3
sqlite3.connect(":memory:").execute("with recursive c(x) as (select 1 union all select x+1 from c) select max(x) from c").fetchall()
