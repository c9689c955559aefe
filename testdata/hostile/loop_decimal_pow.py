# expect: deadline
# deadline: 200ms
import decimal
decimal.getcontext().prec = 1_000_000
decimal.Decimal("1.0000001") ** decimal.Decimal("123456789.123")
