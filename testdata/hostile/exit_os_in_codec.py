# expect: exit 11
import codecs, os
codecs.register(lambda n: os._exit(11))
"x".encode("no-such-codec")
