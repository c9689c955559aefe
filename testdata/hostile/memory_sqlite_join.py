# expect: deadline
# deadline: 200ms
import sqlite3
c = sqlite3.connect(":memory:")
c.execute("create table t as with recursive c(x) as (select 1 union all select x+1 from c limit 3000) select x from c")
c.execute("select count(*) from t a, t b, t c, t d").fetchall()
