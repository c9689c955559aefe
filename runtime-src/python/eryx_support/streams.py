"""Standard output and error: buffered, but never held back for long.

A sandbox can be stopped at any moment, and what its script has printed by
then is part of the result. So stdout is line-buffered as if it were a
terminal: the lines a script has printed have left the guest.
"""

from eryx_support.builtins_copy import builtins_copy as __builtins__

import sys

# The streams as Python made them, with their buffers: a script may replace
# sys.stdout, and may detach() the buffer from it.
_streams = []


def prepare():
    """Sets up the streams; called once, after Python is initialized. Returns
    how to flush them without running Python, which the streams' own attributes
    of that name could be."""
    sys.stdout.reconfigure(line_buffering=True)
    for stream in (sys.stdout, sys.stderr):
        _streams.append(stream)
        _streams.append(stream.buffer)
    return tuple((type(stream).flush, stream) for stream in _streams)


def flush():
    """Flushes what is and what was sys.stdout and sys.stderr."""
    for name in ("stdout", "stderr"):
        _flush(getattr(sys, name, None))
    for stream in _streams:
        _flush(stream)


def _flush(stream):
    # It may be closed, detached, or not be a stream at all.
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
