# expect: RecursionError
import dataclasses
@dataclasses.dataclass
class C:
    x: object
x = None
for _ in range(5_000):
    x = C(x)
dataclasses.asdict(x)
