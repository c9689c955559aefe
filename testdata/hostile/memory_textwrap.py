# expect: MemoryError
import textwrap
textwrap.indent("a\n" * 1_000_000, " " * 1_000)
