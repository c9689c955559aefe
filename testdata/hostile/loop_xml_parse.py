# expect: deadline
# deadline: 200ms
import xml.etree.ElementTree as E
s = "<a>" + "<b c='d'/>" * 100_000 + "</a>"
while True:
    E.fromstring(s)
