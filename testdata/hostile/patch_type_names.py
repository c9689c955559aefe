# expect: UnicodeEncodeError
E = type("E\ud800", (Exception,), {"__module__": None})
raise E("\ud800")
