# expect: MemoryError
import decimal
format(decimal.Decimal("1e400000000"), "f")
