"""Exceptions as records for the host: type, message, traceback, frames, line.

Only the user's frames are shown. Frames of the standard library, of installed
packages and of this package lie below ``/usr/lib`` and are left out, as are
those of modules frozen into the interpreter; a script that calls
``json.loads("[")`` sees the line with the call.
"""

from eryx_support.builtins_copy import builtins_copy as __builtins__

import os
import sys
import traceback as stacks
from traceback import TracebackException

from eryx_support.callbacks import call_of

# The longest text and the largest number of frames in a record. What is in the
# middle is left out beyond that.
MAX_TEXT = 256 << 10
MAX_FRAMES = 512

_SUPPORT = os.path.dirname(__file__) + "/"
_LIBRARY = (getattr(sys, "_stdlib_dir", None) or os.path.dirname(os.__file__)) + "/"
_NOT_USER = (_SUPPORT, _LIBRARY, "<frozen ")
_NOT_IMPORT = (_SUPPORT, "<frozen importlib")


# A class can have attributes of its own by these names, or none at all.
_get_traceback = BaseException.__traceback__.__get__
_set_traceback = BaseException.__traceback__.__set__
_set_context = BaseException.__context__.__set__
_set_cause = BaseException.__cause__.__set__
_get_filename = SyntaxError.filename.__get__
_get_lineno = SyntaxError.lineno.__get__


def install():
    """Keeps this package's frames, which can be between those of a script, out of
    the stacks that the script prints."""
    walk_stack.__module__ = "traceback"
    stacks.walk_stack = walk_stack


def walk_stack(f):
    """Walk a stack yielding the frame and line number for each frame.

    This will follow f.f_back from the given frame. If no frame is given, the
    current stack is used. Usually used with StackSummary.extract.
    """
    if f is None:
        f = sys._getframe(1)
    return _walk(f)


def _walk(frame):
    while frame is not None:
        if not frame.f_code.co_filename.startswith(_SUPPORT):
            yield frame, frame.f_lineno
        frame = frame.f_back


def describe(exception, filename, *, library):
    """Returns ``(type name, message, traceback, frames, line, call)``.

    ``filename`` is that of the user's script, in which ``line`` is. ``library``
    keeps the frames of libraries, which matter where one cannot be imported.
    """
    hidden = _NOT_IMPORT if library else _NOT_USER
    try:
        frames = _frames(exception, hidden)
        line = _line(exception, filename)
        text = _traceback(exception, hidden)
    except MemoryError:
        # Letting the frames go gives back what their variables hold.
        _set_traceback(exception, None)
        _set_context(exception, None)
        _set_cause(exception, None)
        frames, line, text = (), 0, None
    name = type_name(type(exception))
    message = _message(exception)
    if text is None:
        text = _plain(name, message, frames)
    return name, shorten(message), shorten(text), frames, line, call_of(exception)


def describe_plainly(exception, filename, *, library):
    """Does the same for an exception that does not let itself be looked at:
    without source lines, causes and notes."""
    frames = _frames(exception, _NOT_IMPORT if library else _NOT_USER)
    name = type_name(type(exception))
    message = shorten(_message(exception))
    text = _plain(name, message, frames)
    return name, message, text, frames, _line(exception, filename), call_of(exception)


def describe_briefly(exception):
    """Does the same where even that is refused, by the script's audit hooks."""
    name, message = type_name(type(exception)), shorten(_message(exception))
    return name, message, _plain(name, message, ()), (), 0, 0


def _plain(name, message, frames):
    lines = ["Traceback (most recent call last):\n"] if frames else []
    lines += (f'  File "{file}", line {line}, in {function}\n' for file, line, function in frames)
    lines.append(f"{name}: {message}\n" if message else f"{name}\n")
    return "".join(lines)


def type_name(cls):
    """A class's qualified name as tracebacks print it."""
    try:
        module, name = type.__dict__["__module__"].__get__(cls), type.__dict__["__qualname__"].__get__(cls)
        if type(module) is str and module not in ("builtins", "__main__"):
            return f"{module}.{name}"
        return str(name)
    except BaseException:
        return "<unnamed>"


def shorten(text):
    """Leaves out the middle of a text longer than MAX_TEXT."""
    if len(text) <= MAX_TEXT:
        return text
    half = MAX_TEXT // 2
    return f"{text[:half]}\n[... {len(text) - 2 * half} characters left out ...]\n{text[-half:]}"


def _message(exception):
    try:
        return str(exception)
    except BaseException:
        return "<exception str() failed>"


def _frames(exception, hidden):
    frames = []
    traceback = _get_traceback(exception)
    while traceback is not None:
        code = traceback.tb_frame.f_code
        if not code.co_filename.startswith(hidden):
            frames.append((code.co_filename, traceback.tb_lineno or 0, code.co_qualname))
        traceback = traceback.tb_next
    if len(frames) > MAX_FRAMES:
        del frames[MAX_FRAMES // 2 : -(MAX_FRAMES // 2)]
    return tuple(frames)


def _line(exception, filename):
    # A SyntaxError in the script itself, as opposed to one that a call of
    # compile() in it raised, points at its line.
    if issubclass(type(exception), SyntaxError) and _get_filename(exception) == filename:
        if type(lineno := _get_lineno(exception)) is int:
            return lineno
    line = 0
    traceback = _get_traceback(exception)
    while traceback is not None:
        if traceback.tb_frame.f_code.co_filename == filename:
            line = traceback.tb_lineno or 0
        traceback = traceback.tb_next
    return line


def _traceback(exception, hidden):
    report = TracebackException(
        type(exception), exception, _get_traceback(exception), lookup_lines=False
    )
    seen = set()
    pending = [report]
    while pending:
        part = pending.pop()
        if part is None or id(part) in seen:
            continue
        seen.add(id(part))
        if part.stack is not None:
            part.stack[:] = [f for f in part.stack if not f.filename.startswith(hidden)]
            if not part.stack:
                part.stack = None  # then no "Traceback (most recent call last)" either
        pending += (part.__cause__, part.__context__, *(part.exceptions or ()))
    return "".join(report.format())
