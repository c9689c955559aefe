# expect: ok ""
import xml.etree.ElementTree as E
x = E.Element("a")
for _ in range(100_000):
    y = E.Element("a")
    y.append(x)
    x = y
del x, y
