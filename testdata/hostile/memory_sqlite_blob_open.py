# expect: sqlite3.DataError
import sqlite3
c = sqlite3.connect(":memory:")
c.execute("create table t(x)")
c.execute("insert into t values(zeroblob(2000000000))")
