# expect: ok "hello\n"
x = []
try:
    while True:
        x.append(object())
except MemoryError:
    pass
print("hello")
import xml.dom.minidom
