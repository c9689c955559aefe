# expect: ok "300000\n"
import xml.etree.ElementTree as E
print(len(E.fromstring("<a " + " ".join(f"a{n}='1'" for n in range(300_000)) + "/>").attrib))
