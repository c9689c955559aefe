# expect: limit time or MemoryError
# timeout: 500ms
import decimal
decimal.Decimal(1 << 50_000_000)
