# expect: UnicodeEncodeError
open("/tmp/\udcff\ud800", "w")
