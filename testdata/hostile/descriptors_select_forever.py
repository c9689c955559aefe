# expect: deadline
# deadline: 200ms
import select
select.select([], [], [])
