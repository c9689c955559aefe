# expect: xml.etree.ElementTree.ParseError
import xml.etree.ElementTree as E
names = "".join(f'<!ENTITY x{n} "{f"&x{n - 1};" * 10}">' for n in range(1, 12))
E.fromstring(f'<!DOCTYPE a [<!ENTITY x0 "ha">{names}]><a>&x11;</a>')
