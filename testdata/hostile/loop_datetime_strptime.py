# expect: deadline
# deadline: 200ms
import datetime
while True:
    datetime.datetime.strptime("2024-01-01 00:00:00", "%Y-%m-%d %H:%M:%S")
