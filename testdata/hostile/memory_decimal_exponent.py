# expect: MemoryError
import decimal
decimal.getcontext().prec = decimal.MAX_PREC
decimal.Decimal("1e400000000") + decimal.Decimal("1")
