"""Standard output and error: buffered, but never held back for long.

A sandbox can be stopped at any moment, and what its script has printed by
then is part of the result. So stdout is line-buffered as if it were a
terminal: the lines a script has printed have left the guest.
"""

from eryx_support.builtins_copy import builtins_copy as __builtins__

import sys

# The streams as Python made them and their buffers, each after the function of
# its type that flushes it: a script may replace sys.stdout, may detach() the
# buffer from it, and may give a stream a flush of its own.
_flushers = []


def prepare():
    """Sets up the streams; called once, after Python is initialized. Returns
    how to flush them without running Python, which the streams' own attributes
    of that name could be."""
    sys.stdout.reconfigure(line_buffering=True)
    for stream in (sys.stdout, sys.stderr):
        for part in (stream, stream.buffer):
            _flushers.append((type(part).flush, part))
    return tuple(_flushers)


def flush():
    """Flushes what is and what was sys.stdout and sys.stderr."""
    _flush(getattr(sys, "stdout", None))
    _flush(getattr(sys, "stderr", None))
    for flush, stream in _flushers:
        # It may be closed or detached.
        try:
            flush(stream)
        except BaseException:
            pass


def _flush(stream):
    # It may not be a stream at all.
    try:
        stream.flush()
    except BaseException:
        pass


def write_stderr(text):
    """Writes to sys.stderr, as far as that is possible."""
    try:
        sys.stderr.write(text)
    except BaseException:
        pass
