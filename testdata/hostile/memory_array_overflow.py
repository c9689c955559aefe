# expect: MemoryError
import array
array.array("d", bytes(8)) * (2**31 // 8 * 4)
