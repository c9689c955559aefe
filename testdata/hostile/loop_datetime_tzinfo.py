# expect: RecursionError
import datetime
class T(datetime.tzinfo):
    def utcoffset(self, d): return d.utcoffset()
datetime.datetime(2024, 1, 1, tzinfo=T()).utcoffset()
