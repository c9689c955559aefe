# expect: MemoryError
import array
array.array("q", [0]) * (1 << 27)
