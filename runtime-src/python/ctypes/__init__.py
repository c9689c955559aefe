"""Sizes of C's types, and nothing that would call C.

A sandbox has no libffi and cannot load libraries, so the standard library's
ctypes cannot work. Packages such as sympy import ctypes to learn how large a
long is; that much is here, with the values the real module has on this
platform. CDLL and its relatives raise OSError, as for a library that is not
there, and what is missing says why.
"""

import struct as _struct

__all__ = ["sizeof", "alignment", "Array", "ArgumentError"]

_REASON = "a sandbox cannot call C through ctypes; this module only knows the sizes of C's simple types"


class ArgumentError(Exception):
    """What ctypes raises for arguments it cannot convert; never raised here."""


class _Type(type):
    """The type of C's types: times a number, it is an array's type."""

    def __mul__(self, length):
        if not isinstance(length, int) or length < 0:
            raise ValueError("the length of an array is a number, and not negative")
        return type(f"{self.__name__}_Array_{length}", (Array,), {"_type_": self, "_length_": length})

    __rmul__ = __mul__


class Array(metaclass=_Type):
    """Values of one of C's types."""

    _type_ = None
    _length_ = 0

    def __init__(self, *values):
        if len(values) > self._length_:
            raise IndexError("invalid index")
        self._values = [self._type_(*values[i : i + 1]) for i in range(self._length_)]

    def __len__(self):
        return self._length_

    def __getitem__(self, index):
        found = self._values[index]
        return [_plain(v) for v in found] if isinstance(found, list) else _plain(found)

    def __setitem__(self, index, value):
        if isinstance(index, slice):
            raise TypeError("slices cannot be assigned to")
        self._values[index] = value if isinstance(value, self._type_) else self._type_(value)


def _plain(value):
    return value.value if isinstance(value, _Simple) else value


class _Simple(metaclass=_Type):
    """A value of one of C's types, converted and cut as C does."""

    _format = ""
    _default = 0

    def __init__(self, value=None):
        self.value = self._default if value is None else value

    @property
    def value(self):
        return self._value

    @value.setter
    def value(self, value):
        self._value = self._convert(value)

    def _convert(self, value):
        return value

    def __repr__(self):
        return f"{type(self).__name__}({self.value!r})"

    def __bool__(self):
        return bool(self.value)


class _Integer(_Simple):
    _signed = True

    def _convert(self, value):
        if not isinstance(value, int):
            raise TypeError(f"an integer is required, not {type(value).__name__}")
        bits = 8 * sizeof(self)
        value &= (1 << bits) - 1
        return value - (1 << bits) if self._signed and value >> (bits - 1) else value


class _Float(_Simple):
    _default = 0.0

    def _convert(self, value):
        if not isinstance(value, (int, float)):
            raise TypeError(f"must be real number, not {type(value).__name__}")
        value = float(value)
        return _struct.unpack("f", _struct.pack("f", value))[0] if self._format == "f" else value


class _Character(_Simple):
    _default = b"\0"

    def _convert(self, value):
        if isinstance(value, int):
            value = bytes([value])
        if not isinstance(value, (bytes, bytearray)) or len(value) != 1:
            raise TypeError("one character bytes, bytearray, or an integer in range(256) expected")
        return bytes(value)


class _Wide(_Simple):
    _default = "\0"

    def _convert(self, value):
        if not isinstance(value, str) or len(value) != 1:
            raise TypeError("one character unicode string expected")
        return value


class _Boolean(_Simple):
    _default = False

    def _convert(self, value):
        return bool(value)


class _Pointer(_Integer):
    _signed = False

    def __init__(self, value=None):
        self.value = value

    def _convert(self, value):
        # The null pointer's value is None, as in the real module.
        return None if value is None else super()._convert(value) or None


def _define(name, base, format, **attributes):
    globals()[name] = _Type(name, (base,), {"__module__": __name__, "_format": format, "_type_": format, **attributes})
    __all__.append(name)


for _name, _base, _format in (
    ("byte", _Integer, "b"), ("short", _Integer, "h"), ("int", _Integer, "i"),
    ("long", _Integer, "l"), ("longlong", _Integer, "q"),
):  # fmt: skip
    _define(f"c_{_name}", _base, _format)
    _define(f"c_u{_name}", _base, _format.upper(), _signed=False)
_define("c_bool", _Boolean, "?")
_define("c_char", _Character, "c")
_define("c_wchar", _Wide, "i")
_define("c_float", _Float, "f")
_define("c_double", _Float, "d")
_define("c_void_p", _Pointer, "P")
_define("c_size_t", _Integer, "N", _signed=False)
_define("c_ssize_t", _Integer, "n")
_define("c_time_t", _Integer, "q")
for _bits, _format in ((8, "b"), (16, "h"), (32, "i"), (64, "q")):
    _define(f"c_int{_bits}", _Integer, _format)
    _define(f"c_uint{_bits}", _Integer, _format.upper(), _signed=False)
del _name, _base, _format, _bits


def sizeof(type_or_value):
    """The size in bytes of one of the types here, or of a value of one."""
    kind = _kind(type_or_value)
    return kind._length_ * sizeof(kind._type_) if issubclass(kind, Array) else _struct.calcsize(kind._format)


def alignment(type_or_value):
    """The alignment in bytes of one of the types here, or of a value of one."""
    kind = _kind(type_or_value)
    if issubclass(kind, Array):
        return alignment(kind._type_)
    return _struct.calcsize("c" + kind._format) - _struct.calcsize(kind._format)


def _kind(type_or_value):
    kind = type_or_value if isinstance(type_or_value, type) else type(type_or_value)
    if not isinstance(kind, _Type) or not getattr(kind, "_type_", None):
        raise TypeError("this type has no size")
    return kind


class CDLL:
    """A library, of which there is none to load."""

    def __init__(self, name=None, *args, **kwargs):
        raise OSError(f"{name}: {_REASON}")


class PyDLL(CDLL):
    """As CDLL."""


def __getattr__(name):
    raise AttributeError(f"module 'ctypes' has no attribute {name!r}: {_REASON}")
