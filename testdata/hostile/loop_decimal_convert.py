# expect: deadline or MemoryError
# deadline: 500ms
import decimal
decimal.Decimal(1 << 50_000_000)
