# expect: RecursionError
from xml.parsers import expat
p = expat.ParserCreate()
def handler(*a): p.Parse("<b>")
p.StartElementHandler = handler
p.Parse("<a>")
