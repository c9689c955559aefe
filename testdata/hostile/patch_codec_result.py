# expect: TypeError
import codecs
codecs.register(lambda n: (1, 2, 3, 4) if n == "evil" else None)
"x".encode("evil")
