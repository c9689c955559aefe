# expect: MemoryError or SystemError
import collections
collections.deque(iter(int, 1))
