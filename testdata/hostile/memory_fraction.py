# expect: limit time
# timeout: 200ms
import fractions
fractions.Fraction("1e999999999999")
