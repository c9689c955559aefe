# expect: deadline
# deadline: 200ms
import decimal
decimal.getcontext().prec = 3_000_000
decimal.Decimal(3).ln()
