# expect: deadline
# deadline: 200ms
import select
p = select.poll()
p.poll(-1)
