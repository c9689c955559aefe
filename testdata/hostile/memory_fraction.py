# expect: deadline
# deadline: 200ms
import fractions
fractions.Fraction("1e999999999999")
