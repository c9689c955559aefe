# expect: ok ""
import __main__
class W:
    def __del__(self):
        while True: pass
vars(__main__)["w"] = 1
__main__.__class__ = type("M", (type(__main__),), {"__getattribute__": lambda s, n: 1 / 0})
result = 2
