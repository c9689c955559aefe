# expect: RecursionError
import copy
import xml.etree.ElementTree as E
x = E.Element("a")
x.append(x)
copy.deepcopy(x)
