# expect: MemoryError
import symtable
symtable.symtable("lambda: " * 50_000 + "1", "x", "eval")
