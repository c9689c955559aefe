# expect: B
class B(BaseException): pass
raise B
