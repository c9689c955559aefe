# expect: deadline
# deadline: 200ms
import calendar
while True:
    calendar.TextCalendar().formatyear(2024)
