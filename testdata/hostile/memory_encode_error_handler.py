# expect: ok ""
import codecs
codecs.register_error("grow", lambda e: ("x" * 1_000_000, e.end))
("\ud800" * 10_000).encode("ascii", "grow")
