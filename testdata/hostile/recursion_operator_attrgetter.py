# expect: ok ""
import operator
class C: pass
c = C()
c.a = c
operator.attrgetter(".".join("a" * 100_000))(c)
