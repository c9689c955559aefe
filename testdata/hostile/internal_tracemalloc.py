# expect: ok "" or deadline
# deadline: 500ms
import tracemalloc
tracemalloc.start(10_000)
x = [bytes(100) for _ in range(100_000)]
tracemalloc.take_snapshot()
