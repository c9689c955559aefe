# expect: ok or RecursionError or MemoryError or xml.etree.ElementTree.ParseError or crash "stack overflow"
# Freeing an element takes no room of the stack that CPython watches, only of the
# native one.
import xml.etree.ElementTree as E
E.fromstring("<a>" * 300_000 + "</a>" * 300_000)
