# expect: MemoryError
import xml.etree.ElementTree as E
x = E.Element("a")
x.append(x)
E.tostring(x)
