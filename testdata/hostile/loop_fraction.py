# expect: deadline or MemoryError
# deadline: 500ms
import fractions
x = fractions.Fraction(1, 3)
while True:
    x = x * x + fractions.Fraction(1, 7)
