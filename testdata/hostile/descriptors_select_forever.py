# expect: limit time
# timeout: 200ms
import select
select.select([], [], [])
