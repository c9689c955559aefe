# expect: exit 13
import os, weakref
class C: pass
c = C()
r = weakref.ref(c, lambda r: os._exit(13))
del c
