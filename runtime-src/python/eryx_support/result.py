"""The value of a script's result variable, as JSON."""

from eryx_support.builtins_copy import builtins_copy as __builtins__

from json import JSONEncoder

from eryx_support.report import shorten, type_name

# NaN and the infinities are not JSON, so they are refused.
_encode = JSONEncoder(ensure_ascii=False, allow_nan=False).encode
_encode_ascii = JSONEncoder(ensure_ascii=True, allow_nan=False).encode


def encode(value):
    """Returns value as JSON; raises whatever it is that makes it impossible."""
    text = _encode(value)
    try:
        text.encode()
    except UnicodeEncodeError:
        text = _encode_ascii(value)  # a lone surrogate has to be escaped
    return text


def why_not(exception):
    """One line on why a value could not be encoded."""
    try:
        text = f"{type_name(type(exception))}: {exception}"
        # The encoder notes where in the value it was, innermost first.
        notes = [note for note in getattr(exception, "__notes__", ()) if type(note) is str]
        if notes:
            text += f" ({', '.join(notes)})"
        return shorten(text)
    except BaseException:
        return "the value cannot be encoded as JSON"
