# expect: MemoryError
from xml.parsers import expat
p = expat.ParserCreate()
p.buffer_text = True
p.buffer_size = 2**31 - 1
p.Parse("<a>" + "x" * 1000)
