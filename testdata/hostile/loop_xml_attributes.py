# expect: xml.parsers.expat.ExpatError or deadline
# deadline: 500ms
# A start tag that never ends, in pieces.
from xml.parsers import expat
p = expat.ParserCreate()
p.Parse("<a b='")
for _ in range(200_000):
    p.Parse("x" * 1000)
