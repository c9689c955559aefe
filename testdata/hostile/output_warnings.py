# expect: ok ""
import warnings
warnings.simplefilter("always")
for n in range(5_000):
    warnings.warn("x" * 100)
