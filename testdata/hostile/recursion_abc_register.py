# expect: RuntimeError
import abc
class A(abc.ABC): pass
class B(A): pass
B.register(A)
