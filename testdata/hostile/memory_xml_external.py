# expect: xml.etree.ElementTree.ParseError
import xml.etree.ElementTree as E
E.fromstring('<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>')
