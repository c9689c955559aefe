"""What numpy takes for a few operations, in seconds each: the best of some."""

import json
import time

import numpy as np

rng = np.random.default_rng(1)
x, a, s = rng.random(1_000_000), rng.random((200, 200)), rng.random(100_000)

operations = {
    "sum of 1e6": lambda: x.sum(),
    "x * 2 + 1 of 1e6": lambda: x * 2 + 1,
    "sin of 1e6": lambda: np.sin(x),
    "sort of 1e5": lambda: np.sort(s),
    "random numbers, 1e6": lambda: rng.random(1_000_000),
    "fft of 2**16": lambda: np.fft.fft(x[:65536]),
    "200 by 200, product": lambda: a @ a,
    "200 by 200, inverse": lambda: np.linalg.inv(a),
}


def best(operation, count=3):
    times = []
    for _ in range(count):
        start = time.perf_counter()
        operation()
        times.append(time.perf_counter() - start)
    return min(times)


result = {name: best(operation) for name, operation in operations.items()}
print(json.dumps(result))
