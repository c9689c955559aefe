# expect: OverflowError
import datetime
d = datetime.datetime.min
while True:
    d += datetime.timedelta(days=10_000)
