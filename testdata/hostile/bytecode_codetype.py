# expect: ValueError
import types
types.CodeType(-1, -1, -1, -1, -1, -1, b"", (), (), (), "", "", "", -1, b"", b"", (), ())
