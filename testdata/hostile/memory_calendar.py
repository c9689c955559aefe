# expect: OverflowError
import calendar
calendar.TextCalendar().formatyear(2024, w=2**31, l=1)
