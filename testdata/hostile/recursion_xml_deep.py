# expect: ok or RecursionError or MemoryError or xml.etree.ElementTree.ParseError
# Freeing an element takes no room of the stack that CPython watches, but for what
# the meter takes of it.
import xml.etree.ElementTree as E
E.fromstring("<a>" * 300_000 + "</a>" * 300_000)
