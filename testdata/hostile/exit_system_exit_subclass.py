# expect: S
class S(SystemExit):
    @property
    def code(self): raise ValueError
raise S
