# expect: MemoryError
import unicodedata
unicodedata.normalize("NFKD", "\ufdfa" * 10_000_000)
