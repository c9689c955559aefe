# expect: deadline
# deadline: 200ms
import itertools
next(itertools.dropwhile(int.__invert__, itertools.count()))
